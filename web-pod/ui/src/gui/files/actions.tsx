// What can be done with files and folders.

import type { Operation } from '../../requests/disk.ts';
import { freeName, join, nameOf } from '../../requests/paths.ts';
import type { Entry } from '../../requests/types.ts';
import { words } from '../../words/index.ts';
import { askName, confirm, openDialog } from '../dialog.tsx';
import { attempt, disk, type Place, transfers, usageSoon } from '../store.ts';
import { type Chosen, fromInput } from './chosen.ts';
import { listing } from './listing.ts';
import { FolderPicker } from './picker.tsx';

/** A directory of a disk. */
export interface Here {
  readonly place: Place;
  readonly path: string;
}

export function upload({ place, path }: Here, chosen: readonly Chosen[]): void {
  transfers.add(
    chosen.map(({ file, path: below }) => ({ file, space: place.space, path: join(path, below) })),
  );
}

export function uploadFrom(here: Here, input: HTMLInputElement): void {
  upload(here, fromInput(input.files));
  // The same files can be chosen again.
  input.value = '';
}

async function operate({ place }: Here, operations: readonly Operation[]): Promise<void> {
  try {
    for (const operation of operations) await disk.operate(place.space, operation);
  } finally {
    usageSoon(place.space, 200);
    await listing.refresh();
  }
}

export function makeFolder(here: Here): void {
  const text = words.value;
  askName({ title: text.newFolder, label: text.folderName, submit: text.create }, (name) =>
    operate(here, [{ op: 'mkdir', path: join(here.path, name) }]),
  );
}

export function rename(here: Here, entry: Entry): void {
  const text = words.value;
  askName(
    { title: text.rename, label: text.newName, submit: text.rename, value: entry.name },
    async (name) => {
      if (name === entry.name) return;
      await operate(here, [{ op: 'move', from: join(here.path, entry.name), to: join(here.path, name) }]);
    },
  );
}

export function remove(here: Here, entries: readonly Entry[]): void {
  const text = words.value;
  const [first] = entries;
  if (!first) return;
  const title = entries.length === 1 ? text.removeOne(first.name) : text.removeTitle(entries.length);
  confirm({ title, text: text.removeText, yes: text.remove }, () =>
    operate(
      here,
      entries.map(({ name }) => ({ op: 'delete', path: join(here.path, name) })),
    ),
  );
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
      onChoose={async (to) => {
        const there = to === here.path ? listing.entries.value : await disk.list(here.place.space, to);
        const taken = new Set(there.map(({ name }) => name));
        await operate(
          here,
          paths.map((from) => {
            const name = nameOf(from);
            const own = op === 'copy' && to === here.path;
            return { op, from, to: join(to, own ? freeName(name, (one) => taken.has(one)) : name) };
          }),
        );
      }}
    />
  ));
}

/** Browsers ask before one page starts several downloads, and lose those that come at once. */
const BETWEEN_DOWNLOADS_MS = 400;

/** The browser itself fetches the files, from a server that has just answered for each. */
export async function download(here: Here, entries: readonly Entry[]): Promise<void> {
  for (const [index, { name, kind }] of entries.entries()) {
    if (kind !== 'file') continue;
    if (index > 0) await new Promise((done) => setTimeout(done, BETWEEN_DOWNLOADS_MS));
    await attempt(async () => {
      const link = document.createElement('a');
      link.href = await disk.downloadUrl(here.place.space, join(here.path, name));
      link.download = name;
      link.rel = 'noopener';
      link.click();
    });
  }
}

/** What browsers show by themselves. It is shown from the disk server's own origin, in a sandbox. */
const SHOWN =
  /\.(png|jpe?g|gif|webp|avif|pdf|txt|md|log|csv|json|ya?ml|toml|mp3|ogg|opus|flac|wav|mp4|m4v|webm)$/i;

export const canShow = ({ name, kind }: Entry): boolean => kind === 'file' && SHOWN.test(name);

/** Shows a file in a tab of its own. */
export function show(here: Here, { name }: Entry): void {
  // At once, or the browser takes it for an advertisement; where it leads is known a moment later.
  const tab = window.open('', '_blank');
  void attempt(async () => {
    const url = await disk.downloadUrl(here.place.space, join(here.path, name), true);
    if (!tab) return;
    tab.opener = null;
    tab.location.replace(url);
  }).then((worked) => {
    if (!worked) tab?.close();
  });
}
