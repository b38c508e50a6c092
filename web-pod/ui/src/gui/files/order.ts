// The order of a directory's entries. A key is made once an entry, so that a comparison is one of two texts: asking a
// collator for a hundred thousand of them would hold the page up for seconds.

import type { Entry } from '../../requests/types.ts';

export type Column = 'name' | 'size' | 'modified';

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** What Finder puts beside the files of a mounted disk: nobody looks for it. */
export const isFindersOwn = ({ name }: Pick<Entry, 'name'>): boolean =>
  name === '.DS_Store' || name.startsWith('._');

/** An entry with what it is ordered by. */
export interface Item extends Entry {
  readonly key: string;
  readonly at: number;
}

const PLAIN = /^[\x20-\x7e]*$/;
/** A number of more digits than this is ordered as text. */
const DIGITS = 18;

/** `file 9` comes before `file 10`, `Ä` beside `A`, in every script; case counts for nothing. */
export function keyOf(name: string): string {
  const letters = PLAIN.test(name) ? name : name.normalize('NFD').replace(/\p{M}+/gu, '');
  return letters.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(DIGITS, '0'));
}

export function keyed(entry: Entry): Item {
  const at = entry.modified ? Date.parse(entry.modified) : 0;
  return { ...entry, key: keyOf(entry.name), at: Number.isNaN(at) ? 0 : at };
}

/** Compares two entries: directories come first, names that look alike in the order of their letters' numbers. */
export function comparison({ column, descending }: Order): (a: Item, b: Item) => number {
  const sign = descending ? -1 : 1;
  const byName = (a: Item, b: Item) => {
    if (a.key !== b.key) return a.key < b.key ? -1 : 1;
    return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
  };
  return (a, b) => {
    if (a.kind !== b.kind) return a.kind === 'directory' ? -1 : 1;
    if (column === 'name') return sign * byName(a, b);
    const by = column === 'size' ? (a.size ?? 0) - (b.size ?? 0) : a.at - b.at;
    return sign * by || byName(a, b);
  };
}

/** Whether a name holds what somebody types to find it. Names of some systems come with their accents apart. */
export function finder(wanted: string): (name: string) => boolean {
  const part = wanted.normalize('NFC');
  const pattern = new RegExp(part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'i');
  // Letters without accents are found in either form.
  return PLAIN.test(part) ? (name) => pattern.test(name) : (name) => pattern.test(name.normalize('NFC'));
}
