// Which server is tried, and how long to wait when none is left. Nothing here asks anybody.

import type { Server } from './server.ts';

/** A server that failed is asked last for so long: others are at hand, and it has to start or be found again. */
export const SUSPECT_MS = 10_000;

/** When each server last failed, by name. */
export type Failures = ReadonlyMap<string, number>;

/** The servers in the order in which they are tried: the web pod's, with those that failed lately at the end. */
export function ordered(servers: readonly Server[], failures: Failures, now: number): Server[] {
  const suspect = ({ name }: Server) => now - (failures.get(name) ?? Number.NEGATIVE_INFINITY) < SUSPECT_MS;
  return [...servers.filter((server) => !suspect(server)), ...servers.filter(suspect)];
}

/** The best server that is not among those to avoid. */
export function nextOf(servers: readonly Server[], avoid: readonly string[]): Server | undefined {
  return servers.find(({ name }) => !avoid.includes(name));
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/**
 * How long to wait before the web pod is asked again, after `rounds` rounds in which every server failed. The first
 * time at once: the web pod knows of servers that this page does not. `chance` spreads many pages over time.
 */
export function backoffMs(rounds: number, retryAfterMs = 0, chance = 0.5): number {
  if (rounds <= 0) return 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (rounds - 1), LONGEST_WAIT_MS);
  return Math.max(Math.round(wait * (0.75 + chance / 2)), Math.min(retryAfterMs, LONGEST_WAIT_MS));
}
