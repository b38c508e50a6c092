// Rings when it is time; see clock.ts.

addEventListener('message', ({ data: { id, ms } }: MessageEvent<{ id: number; ms: number }>) => {
  setTimeout(() => postMessage(id), ms);
});
