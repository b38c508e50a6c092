// Files that somebody chose or dropped, with their paths, folders and all.

import { breathe } from './slices.ts';

/** A file and where it stands in what was chosen. */
export interface Chosen {
  readonly file: File;
  readonly path: string;
}

/** Some of what was chosen, and what the browser may not read. */
export interface Batch {
  readonly chosen: readonly Chosen[];
  readonly unreadable: readonly string[];
}

const AT_A_TIME = 400;

/** From a file chooser. A folder's files say where they stand in it. */
export async function* fromInput(files: FileList | null): AsyncGenerator<Batch> {
  const all = [...(files ?? [])];
  for (let start = 0; start < all.length; start += AT_A_TIME) {
    const chosen = all.slice(start, start + AT_A_TIME).map((file) => {
      return { file, path: file.webkitRelativePath || file.name };
    });
    yield { chosen, unreadable: [] };
    await breathe();
  }
}

/** From a drop. What was dropped must be taken at once; folders are then read one after the other. */
export function fromDrop(data: DataTransfer): AsyncGenerator<Batch> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return entries.length === 0 ? fromInput(data.files) : walk(entries);
}

async function* walk(entries: readonly FileSystemEntry[]): AsyncGenerator<Batch> {
  let chosen: Chosen[] = [];
  let unreadable: string[] = [];
  const waiting = [...entries].reverse();
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const path = entry.fullPath.replace(/^\//, '');
    try {
      if (entry.isFile) chosen.push({ file: await fileOf(entry as FileSystemFileEntry), path });
      else waiting.push(...(await entriesOf(entry as FileSystemDirectoryEntry)).reverse());
    } catch {
      // One that may not be read does not keep the others from going up.
      unreadable.push(path);
    }
    if (chosen.length >= AT_A_TIME) {
      yield { chosen, unreadable };
      [chosen, unreadable] = [[], []];
    }
  }
  yield { chosen, unreadable };
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((done, failed) => entry.file(done, failed));
}

async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // It hands out a hundred at a time, and nothing at the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
