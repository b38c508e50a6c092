// Timers that keep time in a tab in the background, too: browsers hold the timers of such a page back, up to a minute,
// but not those of a worker. A dead server is to be noticed while one looks at something else.

const waiting = new Map<number, () => void>();
let nextId = 1;
let worker: Worker | null | undefined;

/** The worker that keeps time; null where there is none to be had. */
function clock(): Worker | null {
  if (worker !== undefined) return worker;
  try {
    worker = new Worker(new URL('./clock-worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<number>) => ring(data);
    worker.onerror = () => {
      // Whoever waits is woken, and looks at the time.
      worker = null;
      for (const id of [...waiting.keys()]) ring(id);
    };
  } catch {
    worker = null;
  }
  return worker;
}

function ring(id: number): void {
  const then = waiting.get(id);
  waiting.delete(id);
  then?.();
}

/** Calls `then` after `ms` milliseconds, or a little earlier; returns how to call that off. */
export function after(ms: number, then: () => void): () => void {
  const id = nextId++;
  waiting.set(id, then);
  const keeper = clock();
  if (keeper) keeper.postMessage({ id, ms });
  else setTimeout(() => ring(id), ms);
  return () => waiting.delete(id);
}
