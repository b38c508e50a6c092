// What was done last can be taken back: by the note that tells of it, or by Ctrl+Z.

import { words } from '../words/index.ts';
import { attempt } from './store.ts';
import { toast } from './toasts.tsx';

let last: (() => Promise<unknown>) | undefined;

/** Tells what was done, and how it is taken back. */
export function done(text: string, back: () => Promise<unknown>): void {
  last = back;
  toast(text, 'good', { label: words.value.undo, act: () => undo(back) });
}

/** Takes back what was done last, or what is named. */
export function undo(what = last): void {
  if (!what) return;
  if (what === last) last = undefined;
  void attempt(what).then((worked) => {
    if (worked) toast(words.value.undone);
  });
}
