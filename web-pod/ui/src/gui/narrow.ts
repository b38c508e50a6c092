import { signal } from '@preact/signals';

const query = globalThis.matchMedia?.('(max-width: 820px)');

/** Whether the page is as narrow as on a phone. As in the style sheets. */
export const narrow = signal(query?.matches ?? false);

/** Where a finger points, a long touch opens the menu of an entry: it must not begin to drag it. */
export const byFinger = globalThis.matchMedia?.('(pointer: coarse)').matches ?? false;

query?.addEventListener('change', ({ matches }) => {
  narrow.value = matches;
});
