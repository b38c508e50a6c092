// All uploads of the page, as the rest of it sees them.

import { type Signal, signal } from '@preact/signals';
import { browserStore } from '../keeping.ts';
import type { Disk } from '../requests/disk.ts';
import { freeName, join, nameOf, parentOf } from '../requests/paths.ts';
import { type Entry, type Item, isRunning, itemOf, type Status, statusOf, waits } from './item.ts';
import { Memory } from './memory.ts';
import { Pace } from './pace.ts';
import { toBegin } from './queue.ts';
import { Upload, type Wish } from './upload.ts';
import { Wire } from './wire.ts';

/** What becomes of a file whose name is taken. */
export type Answer = 'replace' | 'both' | 'skip';

/** The queue in numbers. */
export interface Summary {
  readonly files: number;
  readonly done: number;
  readonly bytes: number;
  readonly sent: number;
  /** Bytes a second, and seconds left, while something moves. */
  readonly speed: number;
  readonly left: number | undefined;
  readonly active: boolean;
  readonly counts: Readonly<Record<Status, number>>;
  /** The files for which there was no room, if there are any. */
  readonly full: { readonly code: string; readonly files: number; readonly bytes: number } | undefined;
}

const NO_COUNTS: Record<Status, number> = {
  queued: 0,
  running: 0,
  waiting: 0,
  paused: 0,
  conflict: 0,
  failed: 0,
  done: 0,
};
const NOTHING: Summary = {
  files: 0,
  done: 0,
  bytes: 0,
  sent: 0,
  speed: 0,
  left: undefined,
  active: false,
  counts: NO_COUNTS,
  full: undefined,
};

/** So many lines are told of: those that want something or are under way come first. */
const LINES = 60;

const RANK: readonly Status[] = ['conflict', 'failed', 'running', 'waiting', 'paused', 'queued', 'done'];

/** Refusals for want of room: whatever is as large will be refused as well. */
const isFull = (code: string | undefined) => code === 'quota-exceeded' || code === 'storage-full';

/** What is kept of a file that is up. */
const NO_FILE = new File([], '');

/** The page is painted so often at most while bytes move. */
const PAINT_MS = 150;

/** The queue. */
export class Transfers {
  /** Its lines: those that want something first, then what is under way, and of each in the order of their coming. */
  readonly items: Signal<readonly Item[]> = signal([]);
  readonly summary: Signal<Summary> = signal(NOTHING);
  private readonly disk: Disk;
  private readonly wire: Wire;
  private readonly memory = new Memory(browserStore());
  private readonly pace = new Pace();
  private readonly onDone: (wish: Wish) => void;
  /** A visitor sees no names and replaces nothing: each file goes up whole, beside what is there. */
  private visiting = false;
  private entries: Entry[] = [];
  private nextKey = 1;
  /** What was said once for all names that are taken, until the queue is through. */
  private answer: Answer | undefined;
  private painting: ReturnType<typeof setTimeout> | undefined;

  constructor(disk: Disk, onDone: (wish: Wish) => void) {
    this.disk = disk;
    this.wire = new Wire(disk);
    this.onDone = onDone;
    globalThis.addEventListener?.('online', () => this.wake());
  }

  /** Goes on as a visitor may, who came by a share link. */
  visit(): void {
    this.visiting = true;
  }

  /** What they waited for may be there: the line, or somebody who is signed in. */
  wake(): void {
    for (const { upload } of this.entries) upload?.online();
  }

  add(wishes: readonly Wish[]): void {
    for (const wish of wishes) {
      const key = this.nextKey++;
      const { size } = wish.file;
      this.entries.push({
        key,
        wish,
        upload: null,
        paused: false,
        done: false,
        refused: undefined,
        size,
        told: undefined,
      });
    }
    this.advance();
  }

  pause(key: number): void {
    this.change([key], pause);
  }

  /** Goes on with one that was paused, when its turn has come, or again with one that failed. */
  resume(key: number): void {
    this.change([key], again);
  }

  pauseAll(): void {
    this.change(this.keys(), pause);
  }

  resumeAll(): void {
    this.change(this.keys(), (entry) => {
      entry.paused = false;
    });
  }

  /** Tries all again that failed. */
  retryAll(): void {
    const failed = this.entries.filter((entry) => statusOf(entry) === 'failed');
    this.change(
      failed.map(({ key }) => key),
      again,
    );
  }

  cancel(key: number): void {
    const entry = this.entries.find((one) => one.key === key);
    this.entries = this.entries.filter((one) => one !== entry);
    entry?.upload?.cancel();
    this.advance();
  }

  cancelAll(): void {
    const all = this.entries;
    this.entries = [];
    for (const { upload } of all) upload?.cancel();
    this.advance();
  }

  /** Says what becomes of a file whose name is taken. */
  decide(key: number, answer: Answer): void {
    if (answer === 'replace') this.change([key], ({ upload }) => upload?.replace());
    if (answer === 'both') void this.keepBoth(key);
    if (answer === 'skip') this.cancel(key);
  }

  /** Says it once for all, also for those whose turn comes later. */
  decideAll(answer: Answer): void {
    this.answer = answer;
    for (const entry of this.entries.filter((one) => statusOf(one) === 'conflict'))
      this.decide(entry.key, answer);
  }

  /** Something of that name is there: this one gets another name. */
  private async keepBoth(key: number): Promise<void> {
    const entry = this.entries.find((one) => one.key === key);
    if (!entry) return;
    const { space, path } = entry.wish;
    const directory = parentOf(path);
    const there = this.visiting ? [] : await this.disk.list(space, directory).catch(() => []);
    const names = new Set(there.map(({ name }) => name));
    for (const { wish } of this.entries) {
      if (wish.space === space && parentOf(wish.path) === directory) names.add(nameOf(wish.path));
    }
    const name = freeName(nameOf(path), (candidate) => names.has(candidate));
    this.change([key], (one) => {
      one.wish = { ...one.wish, path: join(directory, name) };
      one.upload = null;
    });
  }

  private keys(): number[] {
    return this.entries.map(({ key }) => key);
  }

  private change(keys: readonly number[], change: (entry: Entry) => void): void {
    const wanted = new Set(keys);
    for (const entry of this.entries) if (wanted.has(entry.key)) change(entry);
    this.advance();
  }

  /** Begins, or goes on with, what there is room for. */
  private advance(): void {
    const running = this.entries.filter((entry) => isRunning(entry));
    for (const entry of toBegin(this.entries.filter(waits), running)) {
      if (entry.upload) entry.upload.resume();
      else this.begin(entry);
    }
    this.paintSoon();
  }

  private begin(entry: Entry): void {
    entry.upload = new Upload(entry.wish, {
      disk: this.disk,
      wire: this.wire,
      memory: this.memory,
      changed: (upload) => this.changed(entry, upload),
      whole: this.visiting,
    });
    entry.upload.start();
  }

  private changed(entry: Entry, upload: Upload): void {
    const { phase } = upload.state;
    if (phase.at === 'done') {
      entry.done = true;
      entry.upload = null;
      entry.wish = { ...entry.wish, file: NO_FILE };
      this.onDone(entry.wish);
    }
    const answer = this.visiting ? 'both' : this.answer;
    if (phase.at === 'conflict' && answer) return this.decide(entry.key, answer);
    if (phase.at === 'failed' && isFull(phase.code)) this.hold(entry, phase.code);
    if (phase.at === 'done' || phase.at === 'failed' || phase.at === 'conflict') this.advance();
    this.paintSoon();
  }

  /** Where this one does not fit, no larger one does: they are not even tried until somebody says so. */
  private hold({ wish: { space }, size }: Entry, code: string): void {
    for (const entry of this.entries) {
      if (entry.upload === null && !entry.done && entry.wish.space === space && entry.size >= size)
        entry.refused = code;
    }
  }

  private paintSoon(): void {
    this.painting ??= setTimeout(() => {
      this.painting = undefined;
      this.paint();
    }, PAINT_MS);
  }

  private paint(): void {
    const lines: Item[][] = RANK.map(() => []);
    const counts = { ...NO_COUNTS };
    const full = { code: '', files: 0, bytes: 0 };
    let bytes = 0;
    let sent = 0;
    for (const entry of this.entries) {
      const item = itemOf(entry);
      counts[item.status]++;
      const ranked = lines[RANK.indexOf(item.status)];
      if (ranked && ranked.length < LINES) ranked.push(item);
      bytes += item.size;
      sent += item.sent;
      if (item.status === 'failed' && isFull(item.code)) {
        full.code = item.code ?? '';
        full.files++;
        full.bytes += item.size;
      }
    }
    const now = performance.now();
    const active = counts.running + counts.queued + counts.waiting > 0;
    this.pace.note(sent, now);
    const speed = active ? this.pace.speed(now) : 0;
    const left = active ? this.pace.left(bytes - sent, now) : undefined;
    const files = this.entries.length;
    this.items.value = lines.flat().slice(0, LINES);
    this.summary.value = {
      files,
      done: counts.done,
      bytes,
      sent,
      speed,
      left,
      active,
      counts,
      full: full.files > 0 ? full : undefined,
    };
    if (!active && counts.conflict === 0) this.answer = undefined;
    if (active) this.paintSoon();
  }
}

function pause(entry: Entry): void {
  if (entry.done) return;
  entry.paused = true;
  entry.upload?.pause();
}

function again(entry: Entry): void {
  entry.paused = false;
  entry.refused = undefined;
  if (entry.upload?.state.phase.at === 'failed') entry.upload.resume();
}
