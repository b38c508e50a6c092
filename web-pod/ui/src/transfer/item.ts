// One line of the queue: what there is to say of an upload.

import { nameOf } from '../requests/paths.ts';
import type { State } from './state.ts';
import type { Upload, Wish } from './upload.ts';

export type Status = 'queued' | 'running' | 'waiting' | 'paused' | 'conflict' | 'failed' | 'done';

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

/** An upload that was wished for, begun or not. */
export interface Entry {
  readonly key: number;
  wish: Wish;
  upload: Upload | null;
  paused: boolean;
  /** It is up: of ten thousand files nothing is kept but their names. */
  done: boolean;
  /** Why it is not even begun: one like it was refused. */
  refused: string | undefined;
  readonly size: number;
  /** The item as it was last told, and of which state. */
  told: { readonly item: Item; readonly state: State | undefined; readonly wish: Wish } | undefined;
}

/** Whether it goes on as soon as there is room. */
export function waits({ upload, paused, refused, done }: Entry): boolean {
  return !done && !paused && refused === undefined && (upload === null || upload.state.phase.at === 'paused');
}

export function isRunning({ upload }: Entry): boolean {
  const at = upload?.state.phase.at;
  return at === 'finding' || at === 'creating' || at === 'locating' || at === 'sending' || at === 'waiting';
}

export function statusOf({ upload, paused, refused, done }: Entry): Status {
  if (done) return 'done';
  if (refused !== undefined) return 'failed';
  const at = upload?.state.phase.at;
  switch (at) {
    case undefined:
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

/** The item of an entry; the same one as before when nothing of it has changed, so that it is not painted again. */
export function itemOf(entry: Entry): Item {
  const { key, wish, upload, size, told, refused } = entry;
  const status = statusOf(entry);
  const state = upload?.state;
  if (told && told.state === state && told.wish === wish && told.item.status === status) return told.item;
  const why = state?.phase.at === 'failed' || state?.phase.at === 'waiting' ? state.phase : undefined;
  const item: Item = {
    key,
    name: nameOf(wish.path),
    path: wish.path,
    space: wish.space,
    size,
    status,
    sent: status === 'done' ? size : Math.min(state?.sent ?? 0, size),
    code: refused ?? why?.code,
    detail: why && 'detail' in why ? why.detail : undefined,
  };
  entry.told = { item, state, wish };
  return item;
}
