// Files that somebody chose or dropped, with their paths, folders and all.

/** A file and where it stands in what was chosen. */
export interface Chosen {
  readonly file: File;
  readonly path: string;
}

/** From a file chooser. A folder's files say where they stand in it. */
export function fromInput(files: FileList | null): Chosen[] {
  return [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** From a drop. What was dropped must be taken at once; folders are then read one after the other. */
export async function fromDrop(data: DataTransfer): Promise<Chosen[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return fromInput(data.files);
  const chosen: Chosen[] = [];
  for (const entry of entries) await walk(entry, chosen);
  return chosen;
}

async function walk(entry: FileSystemEntry, chosen: Chosen[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    chosen.push({ file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // It hands out a hundred at a time, and nothing at the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const one of some) await walk(one, chosen);
  }
}
