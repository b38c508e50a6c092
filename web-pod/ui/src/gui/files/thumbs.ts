// Small pictures of pictures, made here: the pods store files and know nothing of what is in them.

import type { Entry } from '../../requests/types.ts';
import { disk } from '../store.ts';

const MADE_OF = /\.(png|jpe?g|gif|webp|avif|bmp)$/i;
/** A larger file is not fetched only to make a small picture of it. */
const LARGEST = 24 << 20;
/** Few at once: uploads and lists need connections as well. */
const AT_ONCE = 2;
/** So many are kept, the ones that were looked at last. */
const MOST = 300;
const SIDE = 320;

export const hasThumb = ({ name, kind, size }: Entry): boolean =>
  kind === 'file' && MADE_OF.test(name) && (size ?? 0) > 0 && (size ?? 0) <= LARGEST;

/** Where a picture is, and when: in the past a name may have been that of another. */
interface Whereabouts {
  readonly space: string;
  readonly path: string;
  readonly at: string | null;
}

interface Wanted extends Whereabouts {
  readonly key: string;
  readonly tell: (url: string) => void;
}

class Thumbs {
  /** By space, path and version; an empty text where none can be made. */
  private readonly made = new Map<string, string>();
  private waiting: Wanted[] = [];
  private running = 0;

  /** Tells the address of the small picture when there is one. Returns how to want it no more. */
  want(where: Whereabouts, etag: string, tell: (url: string) => void): () => void {
    const key = `${where.space} ${etag} ${where.path}`;
    const known = this.made.get(key);
    if (known !== undefined) {
      // Looked at again: it is kept longer.
      this.made.delete(key);
      this.made.set(key, known);
      if (known) tell(known);
      return () => {};
    }
    const wanted = { ...where, key, tell };
    this.waiting.push(wanted);
    // Those that scrolled by are not wanted any more before this begins.
    setTimeout(() => this.advance(), 60);
    return () => {
      this.waiting = this.waiting.filter((one) => one !== wanted);
    };
  }

  private advance(): void {
    while (this.running < AT_ONCE) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running++;
      void this.make(next).finally(() => {
        this.running--;
        this.advance();
      });
    }
  }

  private async make({ key, space, path, at, tell }: Wanted): Promise<void> {
    let url = '';
    try {
      const response = await disk.read(space, path, {}, at);
      // Decoded and made small beside the page's own thread.
      const bitmap = await createImageBitmap(await response.blob(), {
        resizeWidth: SIDE,
        resizeQuality: 'medium',
      });
      const canvas = document.createElement('canvas');
      canvas.width = bitmap.width;
      canvas.height = Math.min(bitmap.height, 2 * SIDE);
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
      bitmap.close();
      const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp', 0.8));
      if (small) url = URL.createObjectURL(small);
    } catch {
      // It is no picture, or can not be had now: its icon does.
    }
    this.made.set(key, url);
    if (url) tell(url);
    for (const [oldest, old] of this.made) {
      if (this.made.size <= MOST) break;
      this.made.delete(oldest);
      if (old) URL.revokeObjectURL(old);
    }
  }
}

export const thumbs = new Thumbs();
