// What was there, and is no more or is another by now, comes back: beside what has its name.

import { freeName, join, nameOf, parentOf } from '../../requests/paths.ts';
import { Problem } from '../../requests/problem.ts';
import type { Entry } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { attempt, disk, usageSoon } from '../store.ts';
import { done } from '../undo.ts';
import type { Here } from './actions.tsx';

/** Brings entries back from the moment that is looked at. */
export function bringBackFrom({ place, path }: Here, entries: readonly Entry[]): Promise<boolean> {
  const { space, at } = place;
  const text = words.value;
  const back: string[] = [];
  return attempt(async () => {
    if (at === null) return;
    try {
      for (const { name } of entries) back.push(await bring(space, join(path, name), at));
    } finally {
      usageSoon(space, 200);
    }
    const [first = ''] = back;
    const said = back.length === 1 ? text.past.back(nameOf(first)) : text.past.backAll(back.length);
    done(said, async () => {
      for (const one of back) await disk.operate(space, { op: 'delete', path: one });
      usageSoon(space, 200);
    });
  });
}

/** Says where it is then. */
async function bring(space: string, path: string, at: string): Promise<string> {
  try {
    await disk.operate(space, { op: 'bring-back', path, at });
    return path;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'exists') throw error;
    const there = new Set((await disk.list(space, parentOf(path))).map(({ name }) => name));
    const to = join(
      parentOf(path),
      freeName(nameOf(path), (one) => there.has(one)),
    );
    await disk.operate(space, { op: 'bring-back', path, at, to });
    return to;
  }
}
