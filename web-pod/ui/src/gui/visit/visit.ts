// A visit by a share link: what it leads to, and the way in. Opening it is one use, however often its ticket is renewed,
// also after the page was loaded again.

import { signal } from '@preact/signals';
import { operationId } from '../../requests/ids.ts';
import { Problem } from '../../requests/problem.ts';
import type { LinkOpened, LinkShown } from '../../requests/types.ts';
import * as web from '../../requests/web.ts';
import type { Lease } from '../../servers/server.ts';
import { findBy, pool, transfers } from '../store.ts';

export type Visit =
  | { readonly at: 'looking' }
  /** There is no such link, or no more; `ended` says since when, if that was known. */
  | { readonly at: 'gone'; readonly ended: string | undefined }
  | { readonly at: 'used-up' }
  | { readonly at: 'away'; readonly problem: Problem }
  /** Known, and not opened yet: it needs a password, or each opening counts. */
  | { readonly at: 'closed'; readonly link: LinkShown }
  | { readonly at: 'open'; readonly opened: LinkOpened };

export const visit = signal<Visit>({ at: 'looking' });

/** A ticket is renewed so long before it ends. */
const BEFORE_THE_END_MS = 60_000;
const SHORTEST_LEASE_MS = 5_000;

let token = '';
let password: string | undefined;
let operation = operationId();
let known: LinkShown | undefined;

/** One opening a tab, where the browser remembers anything. */
function sameOperation(): string {
  const key = `internet-disk-visit-${token.slice(-12)}`;
  try {
    const before = sessionStorage.getItem(key);
    if (before) return before;
    sessionStorage.setItem(key, operation);
  } catch {
    // Then loading the page again counts as another.
  }
  return operation;
}

/** Looks where a link leads, and opens it if that costs nothing. */
export async function look(of: string): Promise<void> {
  token = of;
  operation = sameOperation();
  visit.value = { at: 'looking' };
  try {
    const link = await web.lookAtLink(token);
    known = link;
    // Through this tab it was opened before: that use goes on.
    if (link.usesLeft === 0 && link.needsPassword === false && (await reopened())) return;
    if (link.usesLeft === 0 && !link.needsPassword) visit.value = { at: 'used-up' };
    else if (link.needsPassword || link.usesLeft !== undefined) visit.value = { at: 'closed', link };
    else await open();
  } catch (error) {
    fail(error);
  }
}

async function reopened(): Promise<boolean> {
  try {
    await open();
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens the link.
 *
 * @throws {Problem} `wrong-credentials`, or the reason why it can not be opened
 */
export async function open(given?: string): Promise<void> {
  password = given;
  const opened = await web.openLink(token, password, operation);
  findBy(async () => leaseOf(await web.openLink(token, password, operation)));
  transfers.visit();
  pool.keep(opened.space, leaseOf(opened));
  visit.value = { at: 'open', opened };
}

function leaseOf({ ticket, ticketExpires, servers, access }: LinkOpened): Lease {
  const left = Date.parse(ticketExpires) - Date.now() - BEFORE_THE_END_MS;
  const until = Date.now() + Math.max(left, SHORTEST_LEASE_MS);
  return { ticket, access: access === 'Read' ? 'Read' : 'ReadWrite', servers, until };
}

/** What does not work any more is told for what it is. */
export function fail(error: unknown): void {
  const problem = error instanceof Problem ? error : new Problem({ status: 0, code: 'internal' });
  const { expires } = known ?? {};
  const ended = expires !== undefined && Date.parse(expires) < Date.now() ? expires : undefined;
  if (problem.code === 'not-found') visit.value = { at: 'gone', ended };
  else if (problem.code === 'forbidden') visit.value = { at: 'used-up' };
  else visit.value = { at: 'away', problem };
}

/** Something of the visit was refused: whether the link itself is gone, it says. */
export async function lookAgain(): Promise<void> {
  try {
    await web.lookAtLink(token);
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') fail(error);
  }
}
