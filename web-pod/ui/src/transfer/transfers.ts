// All uploads of the page, as the rest of it sees them.

import { type Signal, signal } from '@preact/signals';
import type { Disk } from '../requests/disk.ts';
import { freeName, join, nameOf, parentOf } from '../requests/paths.ts';
import { Memory } from './memory.ts';
import { Pace } from './pace.ts';
import { toBegin } from './queue.ts';
import { Upload, type Wish } from './upload.ts';
import { Wire } from './wire.ts';

export type Status = 'queued' | 'running' | 'waiting' | 'paused' | 'conflict' | 'failed' | 'done';

/** One line of the queue. */
export interface Item {
  readonly key: number;
  readonly name: string;
  readonly path: string;
  readonly space: string;
  readonly size: number;
  readonly status: Status;
  readonly sent: number;
  /** Why it waits or failed. */
  readonly code: string | undefined;
  readonly detail: string | undefined;
}

interface Entry {
  readonly key: number;
  wish: Wish;
  upload: Upload | null;
  paused: boolean;
  readonly size: number;
}

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
}

const NOTHING: Summary = { files: 0, done: 0, bytes: 0, sent: 0, speed: 0, left: undefined, active: false };

/** The page is painted so often at most while bytes move. */
const PAINT_MS = 150;

/** The queue. */
export class Transfers {
  /** Its lines, in the order in which they were added. */
  readonly items: Signal<readonly Item[]> = signal([]);
  readonly summary: Signal<Summary> = signal(NOTHING);
  private readonly disk: Disk;
  private readonly wire: Wire;
  private readonly memory = new Memory(globalThis.localStorage);
  private readonly pace = new Pace();
  private readonly onDone: (wish: Wish) => void;
  private entries: Entry[] = [];
  private nextKey = 1;
  private painting: ReturnType<typeof setTimeout> | undefined;

  constructor(disk: Disk, onDone: (wish: Wish) => void) {
    this.disk = disk;
    this.wire = new Wire(disk);
    this.onDone = onDone;
    globalThis.addEventListener?.('online', () => {
      for (const { upload } of this.entries) upload?.online();
    });
  }

  add(wishes: readonly Wish[]): void {
    for (const wish of wishes) {
      this.entries.push({ key: this.nextKey++, wish, upload: null, paused: false, size: wish.file.size });
    }
    this.advance();
  }

  pause(key: number): void {
    this.change([key], pause);
  }

  /** Goes on with one that was paused, when its turn has come, or again with one that failed. */
  resume(key: number): void {
    this.change([key], (entry) => {
      entry.paused = false;
      if (entry.upload?.state.phase.at === 'failed') entry.upload.resume();
    });
  }

  pauseAll(): void {
    this.change(this.keys(), pause);
  }

  resumeAll(): void {
    this.change(this.keys(), (entry) => {
      entry.paused = false;
    });
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

  /** Takes those that are done off the list. */
  clearDone(): void {
    this.entries = this.entries.filter(({ upload }) => upload?.state.phase.at !== 'done');
    this.advance();
  }

  /** Something of that name is there: it makes room. */
  replace(key: number): void {
    this.change([key], ({ upload }) => upload?.replace());
  }

  /** Something of that name is there: this one gets another name. */
  async keepBoth(key: number): Promise<void> {
    const entry = this.entries.find((one) => one.key === key);
    if (!entry) return;
    const { space, path } = entry.wish;
    const directory = parentOf(path);
    const there = await this.disk.list(space, directory).catch(() => []);
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
    });
    entry.upload.start();
  }

  private changed(entry: Entry, upload: Upload): void {
    const { at } = upload.state.phase;
    if (at === 'done') this.onDone(entry.wish);
    if (at === 'done' || at === 'failed' || at === 'conflict') this.advance();
    this.paintSoon();
  }

  private paintSoon(): void {
    this.painting ??= setTimeout(() => {
      this.painting = undefined;
      this.paint();
    }, PAINT_MS);
  }

  private paint(): void {
    const before = new Map(this.items.peek().map((item) => [item.key, item]));
    const items = this.entries.map((entry) => same(before.get(entry.key), itemOf(entry)));
    this.items.value = items;
    const now = performance.now();
    const bytes = items.reduce((sum, { size }) => sum + size, 0);
    const sent = items.reduce((sum, item) => sum + item.sent, 0);
    const active = items.some(
      ({ status }) => status === 'running' || status === 'queued' || status === 'waiting',
    );
    this.pace.note(sent, now);
    const done = items.filter(({ status }) => status === 'done').length;
    const speed = active ? this.pace.speed(now) : 0;
    const left = active ? this.pace.left(bytes - sent, now) : undefined;
    this.summary.value = { files: items.length, done, bytes, sent, speed, left, active };
    if (active) this.paintSoon();
  }
}

function pause(entry: Entry): void {
  if (entry.upload?.state.phase.at === 'done') return;
  entry.paused = true;
  entry.upload?.pause();
}

/** Whether it goes on as soon as there is room. */
function waits({ upload, paused }: Entry): boolean {
  return !paused && (upload === null || upload.state.phase.at === 'paused');
}

function isRunning({ upload }: Entry): boolean {
  const at = upload?.state.phase.at;
  return at === 'finding' || at === 'creating' || at === 'locating' || at === 'sending' || at === 'waiting';
}

function statusOf({ upload, paused }: Entry): Status {
  const at = upload?.state.phase.at;
  switch (at) {
    case undefined:
      return paused ? 'paused' : 'queued';
    case 'paused':
      return paused ? 'paused' : 'queued';
    case 'waiting':
    case 'conflict':
    case 'failed':
    case 'done':
      return at;
    default:
      return 'running';
  }
}

function itemOf(entry: Entry): Item {
  const { key, wish, upload, size } = entry;
  const phase = upload?.state.phase;
  const why = phase?.at === 'failed' || phase?.at === 'waiting' ? phase : undefined;
  const status = statusOf(entry);
  return {
    key,
    name: nameOf(wish.path),
    path: wish.path,
    space: wish.space,
    size,
    status,
    sent: status === 'done' ? size : Math.min(upload?.state.sent ?? 0, size),
    code: why?.code,
    detail: why && 'detail' in why ? why.detail : undefined,
  };
}

/** The item as it was painted before, if nothing of it has changed: then its line is not painted again. */
function same(before: Item | undefined, item: Item): Item {
  if (!before) return item;
  const keys = Object.keys(item) as (keyof Item)[];
  return keys.every((key) => before[key] === item[key]) ? before : item;
}
