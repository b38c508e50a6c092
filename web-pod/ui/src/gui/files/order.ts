import type { Entry } from '../../requests/types.ts';

export type Column = 'name' | 'size' | 'modified';

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** `file 9` comes before `file 10`, in every script. */
const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The entries in order, directories first. */
export function sorted(entries: readonly Entry[], { column, descending }: Order): Entry[] {
  const sign = descending ? -1 : 1;
  return [...entries].sort((a, b) => {
    if (a.kind !== b.kind) return a.kind === 'directory' ? -1 : 1;
    const by = {
      name: 0,
      size: (a.size ?? 0) - (b.size ?? 0),
      modified: (a.modified ?? '').localeCompare(b.modified ?? ''),
    }[column];
    return sign * by || (column === 'name' ? sign : 1) * names.compare(a.name, b.name);
  });
}
