// Telling a dead server from a slow line. Nothing here asks anybody.

/** The shortest silence that is asked about. */
export const SILENCE_MS = 500;
/** On a long line, so many round trips may pass in silence. */
const SILENCE_ROUND_TRIPS = 4;
/** No line is so long that one waits longer. */
const LONGEST_SILENCE_MS = 4_000;

/** How long a server has to answer a question while the next one already did. */
const PATIENCE_MS = 200;
const PATIENCE_ROUND_TRIPS = 3;

/** A server that answers questions while the bytes stand still for so long is left as well. */
const STUCK_MS = 5_000;
/** Bytes a millisecond of a line that is slow and alive: what was handed over may be on its way for as long. */
const SLOWEST = 64;

/**
 * After so long a standstill a server is left though it answers. `blind` is what was handed over and no question tells
 * about: the system, or a proxy, holds megabytes back on a slow line.
 */
export const stuckMs = (blind: number): number => STUCK_MS + blind / SLOWEST;

/** Weight of the newest sample, as TCP has it (RFC 6298). */
const GAIN = 1 / 8;

/** The smoothed round trip, in milliseconds, with one more sample. */
export function smoothed(before: number | undefined, sample: number): number {
  return before === undefined ? sample : before + GAIN * (sample - before);
}

/** After so long without progress, this server and the next one are asked. */
export function silenceMs(roundTrip: number | undefined): number {
  const wanted = Math.max(SILENCE_MS, SILENCE_ROUND_TRIPS * (roundTrip ?? 0));
  return Math.min(wanted, LONGEST_SILENCE_MS);
}

/**
 * How long the answer of this server is waited for, after both were asked. Where the next one took its time, as on a
 * busy machine or a long line, this one has twice as much.
 */
export function patienceMs(roundTrip: number | undefined, nextTook: number | undefined): number {
  const least = Math.max(PATIENCE_MS, PATIENCE_ROUND_TRIPS * (roundTrip ?? 0));
  return nextTook === undefined ? 2 * least : Math.max(least, 2 * nextTook);
}

/** After so long a question is as good as refused. Longer than any patience: that decides before. */
export function askLimitMs(roundTrip: number | undefined): number {
  return 5 * patienceMs(roundTrip, 0);
}

/** What a server that was asked has said so far. */
export type Says = 'nothing yet' | 'answers' | 'refuses';

/** What to do about a silence. */
export type Verdict = 'wait' | 'stay' | 'move';

/**
 * The upload moves only when the next server answers and this one does not. One that refuses (it is stopping, or its
 * storage does not answer) counts as one that does not answer, and is not waited for.
 */
export function verdict(
  here: Says,
  next: Says | undefined,
  { waited, patience, still, stuck }: { waited: number; patience: number; still: number; stuck: number },
): Verdict {
  const over = waited >= patience;
  if (next === undefined || next === 'refuses') return over || here !== 'nothing yet' ? 'stay' : 'wait';
  if (here === 'answers') {
    if (still < stuck) return 'stay';
    if (next === 'answers') return 'move';
    return over ? 'stay' : 'wait';
  }
  if (next === 'answers' && (here === 'refuses' || over)) return 'move';
  return over && next !== 'answers' ? 'stay' : 'wait';
}
