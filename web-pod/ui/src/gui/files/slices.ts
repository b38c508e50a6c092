// Long work in slices, between which the page stays at hand.

/** A task of the page shall be over within a frame; this leaves the rest of it to the browser. */
const SLICE_MS = 7;
/** So many are sorted at a stretch. */
const RUN = 512;
/** Up to so many, slicing is not worth its while. */
export const AT_ONCE = 1_500;

/** Lets the browser have its turn: what was typed, clicked, scrolled comes first. */
export function breathe(): Promise<void> {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      go();
    };
    port2.postMessage(null);
  });
}

/** Tells when a slice is over. */
class Slice {
  private began = performance.now();

  /** Waits if it is time to, and says whether the work is still wanted. */
  async rest(wanted: () => boolean): Promise<boolean> {
    if (performance.now() - this.began >= SLICE_MS) {
      await breathe();
      this.began = performance.now();
    }
    return wanted();
  }
}

/** The items in order; undefined when they were no longer wanted. Stable, like the sort of the language. */
export async function sortedInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  wanted: () => boolean,
): Promise<T[] | undefined> {
  const slice = new Slice();
  let from = [...items];
  for (let start = 0; start < from.length; start += RUN) {
    const run = from.slice(start, start + RUN).sort(compare);
    for (const [index, item] of run.entries()) from[start + index] = item;
    if (!(await slice.rest(wanted))) return undefined;
  }
  let to = new Array<T>(from.length);
  for (let width = RUN; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        const a = from[left] as T;
        const takesLeft = left < middle && (right >= end || compare(a, from[right] as T) <= 0);
        to[at] = takesLeft ? a : (from[right] as T);
        if (takesLeft) left++;
        else right++;
        if (at % RUN === 0 && !(await slice.rest(wanted))) return undefined;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** The names of many items. */
export async function namesInSlices(items: readonly { readonly name: string }[]): Promise<Set<string>> {
  const slice = new Slice();
  const names = new Set<string>();
  for (let start = 0; start < items.length; start += RUN) {
    for (const { name } of items.slice(start, start + RUN)) names.add(name);
    await slice.rest(() => true);
  }
  return names;
}

/** Makes something of every item. */
export async function mappedInSlices<T, U>(items: readonly T[], make: (item: T) => U): Promise<U[]> {
  const slice = new Slice();
  const made: U[] = [];
  for (let start = 0; start < items.length; start += RUN) {
    for (const item of items.slice(start, start + RUN)) made.push(make(item));
    await slice.rest(() => true);
  }
  return made;
}
