// What the page knows: who is signed in, which disks there are, how full they are.

import { computed, effect, signal } from '@preact/signals';
import { Disk } from '../requests/disk.ts';
import { Problem } from '../requests/problem.ts';
import type { Group, Session, Spaces, Usage } from '../requests/types.ts';
import * as web from '../requests/web.ts';
import { type Find, Pool } from '../servers/pool.ts';
import { Transfers } from '../transfer/transfers.ts';
import { sentence, words } from '../words/index.ts';
import { listing } from './files/listing.ts';
import { route } from './route.ts';
import { toast } from './toasts.tsx';

/** Null: nobody; undefined: not known yet. */
export const session = signal<Session | null | undefined>(undefined);
/** The session ended by itself, while the page was in use. */
export const expired = signal(false);
export const spaces = signal<Spaces | null>(null);
export const usages = signal<ReadonlyMap<string, Usage>>(new Map());

/** Who says where a disk is, and gives the ticket: the web pod, asked as a member or by a share link. */
let find: Find = web.findServers;

export function findBy(other: Find): void {
  find = other;
}

export const pool = new Pool((space) => find(space));
export const disk = new Disk(pool);
export const transfers = new Transfers(disk, ({ space, path }) => {
  usageSoon(space);
  listing.touched(space, path);
});

/** Whether there is a line at all, as the browser knows it. */
export const online = signal(navigator.onLine);
addEventListener('online', () => {
  online.value = true;
});
addEventListener('offline', () => {
  online.value = false;
});

/** A disk, as the page shows it. */
export interface Place {
  readonly space: string;
  readonly title: string;
  readonly writable: boolean;
  /** Whether it takes new files: where one may write, and through some share links. */
  readonly takes: boolean;
  readonly limit: number;
  readonly group: Group | null;
  /** Where the way of a visitor begins, who came by a share link; null for members. */
  readonly visited: string | null;
  /** The moment in the past that is looked at; null: now. */
  readonly at: string | null;
  /** Whether what was there may be brought back. */
  readonly mayBring: boolean;
}

export function ownPlace(known: Spaces): Place {
  const writable = session.value?.mode === 'ReadWrite';
  const { space, limit } = known.own;
  const title = words.value.myDisk;
  const group = null;
  return {
    space,
    title,
    writable,
    takes: writable,
    limit,
    group,
    visited: null,
    at: null,
    mayBring: writable,
  };
}

export function groupPlace(group: Group): Place {
  const writable =
    session.value?.mode === 'ReadWrite' && group.access === 'ReadWrite' && group.role !== 'Viewer';
  const { space, displayName: title, capacity: limit } = group;
  return {
    space,
    title,
    writable,
    takes: writable,
    limit,
    group,
    visited: null,
    at: null,
    mayBring: writable,
  };
}

/** The disk whose files are shown. */
export const place = computed<Place | null>(() => {
  const known = spaces.value;
  const at = route.value;
  if (!known || !('group' in at)) return null;
  const group = known.groups.find(({ name }) => name === at.group);
  const now = at.group === null ? ownPlace(known) : group ? groupPlace(group) : null;
  // The past does not change.
  return now && at.at === 'past' ? { ...now, at: at.moment, writable: false, takes: false } : now;
});

/** Whether all of a disk can be searched from where one is. */
export const searchable = ({ visited, at }: Place): boolean => visited === null && at === null;

const ASK_AGAIN_MS = 2_000;

/** Learns who is signed in; while nobody answers, again and again. */
export async function begin(): Promise<void> {
  web.whenSignedOut(() => {
    if (session.value) expired.value = true;
    session.value = null;
  });
  for (;;) {
    try {
      const known = await web.whoAmI();
      await refreshSpaces();
      session.value = known;
      return;
    } catch (error) {
      if (error instanceof Problem && error.status > 0 && error.status < 500) {
        session.value = null;
        return;
      }
      toast(error instanceof Problem ? sentence(error) : words.value.problem, 'bad');
      await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
    }
  }
}

/** @throws {Problem} when the password is not accepted */
export async function signIn(member: string, password: string): Promise<void> {
  const before = spaces.value?.own.space;
  const begun = await web.signIn(member, password);
  pool.clear();
  await refreshSpaces();
  // Uploads of somebody else are none of theirs.
  if (before !== undefined && before !== spaces.value?.own.space) transfers.cancelAll();
  expired.value = false;
  session.value = begun;
  transfers.wake();
}

export async function signOut(): Promise<void> {
  transfers.cancelAll();
  await web.signOut().catch(() => undefined);
  pool.clear();
  expired.value = false;
  session.value = null;
  spaces.value = null;
  usages.value = new Map();
  location.hash = '';
}

export async function refreshSpaces(): Promise<void> {
  spaces.value = await web.spaces();
}

/** A change of a group takes effect when the operator has moved the limits: it is looked for a few times. */
export function spacesSoon(): void {
  for (const after of [50, 400, 1_000, 2_000, 4_000]) {
    setTimeout(() => void refreshSpaces().catch(() => undefined), after);
  }
}

const waiting = new Set<string>();
const asked = new Set<string>();

/** Asks how full a space is, soon: many changes at once are one question. */
export function usageSoon(space: string, after = 700): void {
  // It is no business of visitors.
  if (!spaces.peek() || waiting.has(space)) return;
  waiting.add(space);
  setTimeout(async () => {
    waiting.delete(space);
    asked.add(space);
    try {
      const usage = await disk.usage(space);
      if (!sameUsage(usages.value.get(space), usage)) usages.value = new Map(usages.value).set(space, usage);
      listing.newer(space, usage.generation);
    } catch {
      // What was known stays on the page; the next look may succeed.
    } finally {
      asked.delete(space);
    }
  }, after);
}

const sameUsage = (a: Usage | undefined, b: Usage) =>
  a?.limit === b.limit && a.used === b.used && a.reserved === b.reserved && a.trash === b.trash;

/** Groups whose usage is kept up to date; with more, it is that of those that are looked at. */
const WATCHED_GROUPS = 12;

const SPACES_EVERY_MS = 8_000;
const USAGE_EVERY_MS = 15_000;
/** The disk that is looked at: what others change there shows soon. */
const SHOWN_EVERY_MS = 1_000;

/** What is not known yet is asked for, and what does not fit to the limit that holds by now is asked again. */
effect(() => {
  const known = spaces.value;
  if (!known) return;
  const watched = [
    { space: known.own.space, limit: known.own.limit },
    ...known.groups.slice(0, WATCHED_GROUPS).map(({ space, capacity }) => ({ space, limit: capacity })),
  ];
  for (const { space, limit } of watched) {
    if (usages.peek().get(space)?.limit !== limit) usageSoon(space, 0);
  }
});

effect(() => {
  if (place.value) usageSoon(place.value.space, 0);
});

/** Nobody looks any more after so long without a move: to go on asking would keep the session from its end. */
const LOOKS_MS = 5 * 60_000;

let moved = performance.now();
for (const event of ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart']) {
  addEventListener(
    event,
    () => {
      moved = performance.now();
    },
    { passive: true },
  );
}

function every(ms: number, look: () => void): void {
  setInterval(() => {
    const looks = document.visibilityState === 'visible' && performance.now() - moved < LOOKS_MS;
    if (session.value && (looks || transfers.summary.value.active)) look();
  }, ms);
}

// Whoever comes back sees what is, not what was.
addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && session.value) {
    void refreshSpaces().catch(() => undefined);
    void listing.refresh();
  }
});

every(SPACES_EVERY_MS, () => void refreshSpaces().catch(() => undefined));
every(SHOWN_EVERY_MS, () => {
  // One that is slow to answer is not asked all the more.
  if (place.value && !asked.has(place.value.space)) usageSoon(place.value.space, 0);
});
every(USAGE_EVERY_MS, () => {
  for (const space of usages.value.keys()) usageSoon(space, 0);
});

/** Does something and tells when it did not work. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    toast(error instanceof Problem ? sentence(error) : words.value.problem, 'bad');
    return false;
  }
}

addEventListener('beforeunload', (event) => {
  if (transfers.summary.value.active) event.preventDefault();
});
