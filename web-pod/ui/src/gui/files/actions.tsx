// What can be done with files and folders.

import { signal } from '@preact/signals';
import type { Operation } from '../../requests/disk.ts';
import { freeName, join, nameOf, parentOf } from '../../requests/paths.ts';
import type { Entry } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { askName, openDialog } from '../dialog.tsx';
import { go, type Route } from '../route.ts';
import { attempt, disk, type Place, transfers, usageSoon } from '../store.ts';
import { toast } from '../toasts.tsx';
import { done } from '../undo.ts';
import { type Batch, fromInput } from './chosen.ts';
import { listing } from './listing.ts';
import { FolderPicker } from './picker.tsx';

/** A directory of a disk. */
export interface Here {
  readonly place: Place;
  readonly path: string;
}

/** Puts files into a directory, as they are found: the first ones go up while a folder is still being read. */
export async function upload({ place, path }: Here, batches: AsyncIterable<Batch>): Promise<void> {
  const unreadable: string[] = [];
  for await (const batch of batches) {
    transfers.add(
      batch.chosen.map(({ file, path: below }) => ({ file, space: place.space, path: join(path, below) })),
    );
    unreadable.push(...batch.unreadable);
  }
  const [first] = unreadable;
  if (first) toast(words.value.unreadable(nameOf(first), unreadable.length), 'bad');
}

export function uploadFrom(here: Here, input: HTMLInputElement): void {
  void upload(here, fromInput(input.files));
  // The same files can be chosen again.
  input.value = '';
}

async function operate(space: string, operations: readonly Operation[]): Promise<void> {
  try {
    for (const operation of operations) await disk.operate(space, operation);
  } finally {
    usageSoon(space, 200);
    await listing.refresh();
  }
}

export function makeFolder(here: Here): void {
  const text = words.value;
  askName({ title: text.newFolder, label: text.folderName, submit: text.create }, async (name) => {
    await operate(here.place.space, [{ op: 'mkdir', path: join(here.path, name) }]);
    listing.selection.value = { names: new Set([name]), cursor: name, anchor: name };
  });
}

/** Gives an entry another name; tells whether it has it. */
export function rename({ place, path }: Here, from: string, to: string): Promise<boolean> {
  const move = (before: string, after: string) =>
    operate(place.space, [{ op: 'move', from: join(path, before), to: join(path, after) }]);
  return attempt(async () => {
    await move(from, to);
    listing.selection.value = { names: new Set([to]), cursor: to, anchor: to };
    done(words.value.renamed(from, to), () => move(to, from));
  });
}

/** So many requests at once: the answer to many is one that one does not wait for. */
const AT_ONCE = 4;

/** Deletes entries: they are in the trash then, and come back from there. */
export function remove(here: Here, entries: readonly Entry[]): void {
  const [first] = entries;
  if (!first || !here.place.writable) return;
  const text = words.value;
  const { space } = here.place;
  const paths = entries.map(({ name }) => join(here.path, name));
  listing.hide(new Set(entries.map(({ name }) => name)));
  void attempt(async () => {
    const waiting = [...paths];
    const deleteSome = async () => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        await disk.operate(space, { op: 'delete', path });
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, deleteSome));
    } finally {
      usageSoon(space, 200);
      await listing.refresh();
    }
    done(entries.length === 1 ? text.removedOne(first.name) : text.removed(entries.length), () =>
      bringBack(space, paths),
    );
  });
}

/** So much may have been deleted since, here or by others. */
const FAR_BEHIND = 2_000;

/** Restores what was deleted last at some paths. */
async function bringBack(space: string, paths: readonly string[]): Promise<void> {
  const wanted = new Set(paths);
  const steps: Operation[] = [];
  let after: string | undefined;
  let looked = 0;
  do {
    const page = await disk.trash(space, after);
    for (const { id, path } of page.items) if (wanted.delete(path)) steps.push({ op: 'restore', item: id });
    looked += page.items.length;
    after = page.next;
    // They were deleted a moment ago, and are among the last: what is not there is not far behind.
  } while (after !== undefined && wanted.size > 0 && looked < paths.length + FAR_BEHIND);
  await operate(space, steps);
}

/** Moves or copies entries of one disk into one of its directories. */
export async function bring(
  place: Place,
  paths: readonly string[],
  op: 'move' | 'copy',
  to: string,
): Promise<void> {
  const text = words.value;
  const moves = paths.filter((from) => op === 'copy' || parentOf(from) !== to);
  if (moves.length === 0) return;
  const own = op === 'copy' && moves.some((from) => parentOf(from) === to);
  const there = own ? await disk.list(place.space, to) : [];
  const taken = new Set(there.map(({ name }) => name));
  const steps = moves.map((from) => {
    const name = nameOf(from);
    const isHere = op === 'copy' && parentOf(from) === to;
    return { op, from, to: join(to, isHere ? freeName(name, (one) => taken.has(one)) : name) };
  });
  await operate(place.space, steps);
  const target = to ? nameOf(to) : place.title;
  if (op === 'copy') toast(text.copied(steps.length, target));
  else {
    done(text.moved(steps.length, target), () =>
      operate(
        place.space,
        steps.map((step) => ({ op: 'move', from: step.to, to: step.from })),
      ),
    );
  }
}

/** Lets one choose a folder of the same disk, and moves or copies there. */
export function transferTo(here: Here, entries: readonly Entry[], op: 'move' | 'copy'): void {
  const paths = entries.map(({ name }) => join(here.path, name));
  openDialog((close) => (
    <FolderPicker
      place={here.place}
      start={here.path}
      op={op}
      // Into itself or below is no place to go.
      without={paths}
      close={close}
      onChoose={(to) => bring(here.place, paths, op, to)}
    />
  ));
}

/** What was cut or copied, to be pasted into another folder. */
export const clipboard = signal<{
  readonly space: string;
  readonly paths: readonly string[];
  readonly op: 'move' | 'copy';
} | null>(null);

export function take(here: Here, entries: readonly Entry[], op: 'move' | 'copy'): void {
  if (entries.length === 0) return;
  const paths = entries.map(({ name }) => join(here.path, name));
  clipboard.value = { space: here.place.space, paths, op };
  toast(words.value.taken(entries.length));
}

export function paste(here: Here): void {
  const held = clipboard.value;
  if (!held || !here.place.writable) return;
  if (held.space !== here.place.space) return toast(words.value.otherDisk, 'bad');
  if (held.op === 'move') clipboard.value = null;
  void attempt(() => bring(here.place, held.paths, held.op, here.path));
}

/** Longer addresses are not taken by every server on the way. */
const LONGEST_QUERY = 6_000;

/** The browser itself fetches a file, or several as a zip, from a server that has just answered. */
export function download(here: Here, entries: readonly Entry[]): Promise<boolean> {
  const { space, at } = here.place;
  const [first] = entries;
  return attempt(async () => {
    if (!first) return;
    if (entries.length === 1) {
      const path = join(here.path, first.name);
      if (first.kind === 'file') fetchFrom(await disk.downloadUrl(space, path, { at }), first.name);
      else fetchFrom(await disk.zipUrl(space, path, [], at), `${first.name}.zip`);
      return;
    }
    const all = entries.length === listing.shown.peek()?.items?.length;
    const names = all ? [] : entries.map(({ name }) => name);
    if (names.reduce((sum, name) => sum + encodeURIComponent(name).length + 6, 0) > LONGEST_QUERY) {
      toast(words.value.tooManyToZip, 'bad');
      return;
    }
    fetchFrom(await disk.zipUrl(space, here.path, names, at), `${nameOf(here.path) || here.place.title}.zip`);
  });
}

export function fetchFrom(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.rel = 'noopener';
  link.click();
}

/** Where a directory of a disk is shown, as it is or at the moment that is looked at. */
export function routeTo({ group, at }: Place, path: string): Route {
  const name = group?.name ?? null;
  return at === null ? { at: 'files', group: name, path } : { at: 'past', group: name, moment: at, path };
}

/** Goes to a directory of the same disk. */
export function enter(here: Here, path: string): void {
  go(routeTo(here.place, path));
}
