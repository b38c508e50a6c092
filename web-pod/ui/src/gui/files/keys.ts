// Which key does what in a list of files. Nothing here does it.

export type Command =
  | { readonly do: 'step'; readonly by: number; readonly range: boolean; readonly add: boolean }
  | {
      readonly do:
        | 'open'
        | 'toggle'
        | 'all'
        | 'clear'
        | 'delete'
        | 'rename'
        | 'up'
        | 'filter'
        | 'undo'
        | 'cut'
        | 'copy'
        | 'paste';
    }
  | { readonly do: 'type'; readonly letter: string };

export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** How the entries lie: how many beside one another, and how many rows fill the window. */
export interface Lay {
  readonly columns: number;
  readonly rows: number;
}

const FAR = Number.POSITIVE_INFINITY;

/** The command of a key, if it has one. */
export function commandOf(event: Key, { columns, rows }: Lay): Command | undefined {
  const { key, shiftKey: range } = event;
  const add = event.ctrlKey || event.metaKey;
  if (event.altKey) return key === 'ArrowUp' ? { do: 'up' } : undefined;
  const steps: Record<string, number | undefined> = {
    ArrowDown: columns,
    ArrowUp: -columns,
    ArrowRight: columns > 1 ? 1 : undefined,
    ArrowLeft: columns > 1 ? -1 : undefined,
    PageDown: columns * rows,
    PageUp: -columns * rows,
    Home: -FAR,
    End: FAR,
  };
  const by = steps[key];
  if (by !== undefined) return { do: 'step', by, range, add };
  if (add) {
    const letters: Record<string, Command> = {
      a: { do: 'all' },
      z: { do: 'undo' },
      x: { do: 'cut' },
      c: { do: 'copy' },
      v: { do: 'paste' },
      ' ': { do: 'toggle' },
    };
    return range ? undefined : letters[key.toLowerCase()];
  }
  const named: Record<string, Command> = {
    Enter: { do: 'open' },
    ' ': { do: 'toggle' },
    Escape: { do: 'clear' },
    Delete: { do: 'delete' },
    F2: { do: 'rename' },
    Backspace: { do: 'up' },
    '/': { do: 'filter' },
  };
  return named[key] ?? ([...key].length === 1 ? { do: 'type', letter: key.toLowerCase() } : undefined);
}
