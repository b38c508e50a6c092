// How much goes up in one request. Nothing here asks anybody.

const MIB = 1 << 20;

/** Up to this size a file goes up as a whole, in one request that can be repeated. */
export const WHOLE_UP_TO = 4 * MIB;

/** The first piece on a server: its acknowledgement comes soon, and says that the server is alive. */
export const FIRST_PIECE = 1 * MIB;
const LARGEST_PIECE = 64 * MIB;

/** A piece that takes less than this could have been larger; one that takes more than the other, smaller. */
const QUICK_MS = 1_000;
const SLOW_MS = 4_000;

/** The size of the piece after one of `size` that took `took` milliseconds. */
export function nextPiece(size: number, took: number): number {
  if (took < QUICK_MS) return Math.min(size * 2, LARGEST_PIECE);
  if (took > SLOW_MS) return Math.max(Math.floor(size / 2), FIRST_PIECE);
  return size;
}
