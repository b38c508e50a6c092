// Uploads that were begun, so that the same file chosen again after a reload goes on where it was. Only ids are kept:
// what is durable, the disk servers know.

/** Where ids are kept; the browser's own storage, if it lets one. */
export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

interface Kept {
  readonly id: string;
  readonly at: number;
}

const KEY = 'internet-disk-uploads';
/** After so long an upload is likely to have expired, and after so many the oldest is forgotten. */
const LONGEST_MS = 24 * 3600 * 1000;
const MOST = 200;

/** What makes a file the same file. */
export function fingerprint(file: Pick<File, 'size' | 'lastModified'>, space: string, path: string): string {
  return [space, file.size, file.lastModified, path].join(' ');
}

export class Memory {
  private readonly store: Store | undefined;

  constructor(store: Store | undefined) {
    this.store = store;
  }

  /** The id of an upload that was begun. It is handed out once: two uploads must not share one. */
  take(key: string, now: number): string | undefined {
    const all = this.read(now);
    const id = all[key]?.id;
    if (id !== undefined) this.forget(key, now);
    return id;
  }

  keep(key: string, id: string, now: number): void {
    this.write({ ...this.read(now), [key]: { id, at: now } });
  }

  forget(key: string, now: number): void {
    const { [key]: _, ...others } = this.read(now);
    this.write(others);
  }

  private read(now: number): Record<string, Kept> {
    try {
      const all = JSON.parse(this.store?.getItem(KEY) ?? '{}') as Record<string, Kept>;
      return Object.fromEntries(Object.entries(all).filter(([, { at }]) => now - at < LONGEST_MS));
    } catch {
      return {};
    }
  }

  private write(all: Record<string, Kept>): void {
    const newest = Object.entries(all)
      .sort(([, a], [, b]) => b.at - a.at)
      .slice(0, MOST);
    try {
      this.store?.setItem(KEY, JSON.stringify(Object.fromEntries(newest)));
    } catch {
      // A browser that keeps nothing only has to begin anew.
    }
  }
}
