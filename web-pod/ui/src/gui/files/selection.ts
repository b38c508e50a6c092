// What is selected, as file managers have it: a set of names, the one where the keyboard is, and the one that a range
// is counted from. Nothing here draws anything.

export interface Selection {
  readonly names: ReadonlySet<string>;
  /** Where the keyboard is. */
  readonly cursor: string | null;
  /** Where a range begins. */
  readonly anchor: string | null;
}

export interface Named {
  readonly name: string;
}

/** The keys that were held. */
export interface Held {
  /** Everything from the anchor on. */
  readonly range?: boolean;
  /** What is selected stays so. */
  readonly add?: boolean;
}

export const NOTHING: Selection = { names: new Set(), cursor: null, anchor: null };

const indexOf = (items: readonly Named[], name: string | null) =>
  name === null ? -1 : items.findIndex((item) => item.name === name);

/** A click on an entry, or a step of the cursor to it. */
export function picked(before: Selection, items: readonly Named[], name: string, held: Held): Selection {
  if (held.range) {
    const from = Math.max(indexOf(items, before.anchor ?? before.cursor), 0);
    const to = indexOf(items, name);
    const range = items.slice(Math.min(from, to), Math.max(from, to) + 1).map((item) => item.name);
    const names = new Set(held.add ? [...before.names, ...range] : range);
    return { names, cursor: name, anchor: before.anchor ?? items[from]?.name ?? name };
  }
  if (held.add) return toggled(before, name);
  return { names: new Set([name]), cursor: name, anchor: name };
}

/** One more, or one less. */
export function toggled(before: Selection, name: string, on = !before.names.has(name)): Selection {
  const names = new Set(before.names);
  if (on) names.add(name);
  else names.delete(name);
  return { names, cursor: name, anchor: name };
}

/** The entry so many steps from the cursor; the first or the last one when there are no more. */
export function stepped(before: Selection, items: readonly Named[], steps: number): string | undefined {
  const at = indexOf(items, before.cursor);
  if (at < 0)
    return items.at(steps < 0 && Number.isFinite(steps) ? -1 : steps === Number.POSITIVE_INFINITY ? -1 : 0)
      ?.name;
  return items[Math.min(Math.max(at + steps, 0), items.length - 1)]?.name;
}

/** The cursor alone goes elsewhere. */
export function moved(before: Selection, name: string): Selection {
  return { ...before, cursor: name, anchor: before.anchor ?? name };
}

export const namesOf = (items: readonly Named[]): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { name } of items) names.add(name);
  return names;
};

export const everything = (before: Selection, names: ReadonlySet<string>): Selection => ({
  ...before,
  names,
});

/**
 * What is left of it among the entries that there are now, whose names are `there`. A cursor whose entry went takes the
 * place it had.
 */
export function kept(
  before: Selection,
  old: readonly Named[],
  items: readonly Named[],
  there: ReadonlySet<string>,
): Selection {
  const names = without(before.names, there);
  const still = (name: string | null) => (name !== null && there.has(name) ? name : null);
  let cursor = still(before.cursor);
  if (before.cursor !== null && cursor === null) {
    const at = indexOf(old, before.cursor);
    cursor = items[Math.min(Math.max(at, 0), items.length - 1)]?.name ?? null;
  }
  return { names, cursor, anchor: still(before.anchor) ?? cursor };
}

/** Those that are still there: mostly all of them, and then no set of a hundred thousand is made. */
function without(names: ReadonlySet<string>, there: ReadonlySet<string>): ReadonlySet<string> {
  for (const name of names) {
    if (!there.has(name)) return new Set([...names].filter((one) => there.has(one)));
  }
  return names;
}

/** The entry that begins with what was typed: the one at the cursor too, while more of it is typed. */
export function typedTo(
  items: readonly (Named & { readonly key: string })[],
  cursor: string | null,
  typed: string,
): string | undefined {
  const at = Math.max(indexOf(items, cursor), 0);
  const first = typed.length > 1 || cursor === null ? at : at + 1;
  const length = items.length;
  for (let step = 0; step < length; step++) {
    const item = items[(first + step) % length];
    if (item?.name.toLowerCase().startsWith(typed)) return item.name;
  }
  return undefined;
}
