// What is known of one upload, and what can happen to it. The rules are in machine.ts.

import type { Server } from '../servers/server.ts';
import type { Says } from '../servers/silence.ts';
import { FIRST_PIECE } from './pieces.ts';

/** What the upload is doing. */
export type Phase =
  /** The web pod is asked for servers; `keep` is the one to go on with if it is still named. */
  | { readonly at: 'finding'; readonly keep: Server | null }
  | { readonly at: 'creating'; readonly server: Server }
  /** The server is asked for the durable offset. */
  | { readonly at: 'locating'; readonly server: Server }
  | { readonly at: 'sending'; readonly server: Server; readonly from: number; readonly length: number }
  /** Nothing can be done now; it goes on by itself. */
  | { readonly at: 'waiting'; readonly until: number; readonly code: string }
  | { readonly at: 'paused' }
  /** Something of that name is there already: the member decides. */
  | { readonly at: 'conflict' }
  | { readonly at: 'done' }
  | { readonly at: 'failed'; readonly code: string; readonly detail: string | undefined };

/** A silence that is being looked into. */
export interface Doubt {
  readonly since: number;
  readonly next: Server | undefined;
  readonly here: Says;
  readonly there: Says;
  /** How long the next server took to answer. */
  readonly took: number | undefined;
  /** The offset that the next server told. */
  readonly offset: number | undefined;
}

export interface State {
  readonly size: number;
  /** Small files go up whole, in one request that is safe to repeat; others in pieces. */
  readonly whole: boolean;
  readonly phase: Phase;
  /** The id of the upload, the same on every server. */
  readonly id: string | null;
  /** Whether a file that is there already is replaced. */
  readonly replace: boolean;
  readonly acknowledged: number;
  readonly sent: number;
  /** When bytes last moved or were acknowledged. */
  readonly heard: number;
  /** When the request under way began, and its number; answers to others are not listened to. */
  readonly began: number;
  readonly serial: number;
  /** From when on the next silence is counted. */
  readonly calmSince: number;
  /** The highest durable offset that was told, and when it last rose: on a slow line that is all one hears. */
  readonly durable: number;
  readonly stirred: number;
  readonly doubt: Doubt | null;
  readonly candidates: readonly Server[];
  /** Servers that failed since the last acknowledgement. */
  readonly avoid: readonly string[];
  /** How often every server failed since then, and how often one contradicted. */
  readonly rounds: number;
  readonly quarrels: number;
  readonly piece: number;
  /** Where the bytes stopped, until they move on another server. */
  readonly stall: { readonly from: Server; readonly since: number } | null;
}

export type Event =
  /** `unreadable`: the file itself was changed or is gone; no server can help. */
  | { readonly on: 'start' | 'pause' | 'resume' | 'tick' | 'online' | 'unreadable' }
  | { readonly on: 'decided'; readonly replace: boolean }
  | { readonly on: 'servers'; readonly servers: readonly Server[] }
  | { readonly on: 'no-servers'; readonly code: string; readonly retryAfterMs: number }
  | { readonly on: 'created'; readonly serial: number; readonly id: string; readonly offset: number }
  | { readonly on: 'located'; readonly serial: number; readonly offset: number }
  | { readonly on: 'progress'; readonly serial: number; readonly sent: number }
  | { readonly on: 'taken'; readonly serial: number; readonly offset: number }
  | { readonly on: 'broke'; readonly serial: number }
  | ({ readonly on: 'refused'; readonly serial: number } & Refusal)
  | {
      readonly on: 'said';
      readonly serial: number;
      readonly server: string;
      readonly says: Says;
      readonly offset?: number;
    };

/** An answer that is no success. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail?: string | undefined;
  readonly retryAfterMs?: number;
  /** The durable offset, when the server told it. */
  readonly offset?: number | undefined;
}

export type Effect =
  | { readonly do: 'find'; readonly fresh: boolean }
  | { readonly do: 'create'; readonly server: Server; readonly serial: number; readonly replace: boolean }
  | { readonly do: 'locate'; readonly server: Server; readonly serial: number }
  | {
      readonly do: 'send';
      readonly server: Server;
      readonly serial: number;
      readonly from: number;
      readonly length: number;
    }
  /** The request under way is not wanted any more. */
  | { readonly do: 'drop' }
  /** Is this server alive, storage and all? Its answer comes back as `said`. */
  | { readonly do: 'ask'; readonly server: Server; readonly serial: number; readonly limit: number }
  | { readonly do: 'suspect'; readonly server: Server }
  | { readonly do: 'moved'; readonly from: Server; readonly to: Server; readonly standstill: number };

/** What the machine knows of the world around it. */
export interface World {
  readonly now: number;
  /** The smoothed round trip to a server, if it was measured. */
  readonly roundTrip: (server: Server) => number | undefined;
}

export type Step = readonly [State, readonly Effect[]];

/** An upload that has not begun; with the `id` of one that was begun before, it goes on from there. */
export function begin(size: number, whole: boolean, now: number, id?: string): State {
  return {
    size,
    whole,
    phase: { at: 'finding', keep: null },
    id: whole ? null : (id ?? null),
    replace: false,
    acknowledged: 0,
    sent: 0,
    heard: now,
    began: now,
    serial: 0,
    calmSince: now,
    durable: 0,
    stirred: now,
    doubt: null,
    candidates: [],
    avoid: [],
    rounds: 0,
    quarrels: 0,
    piece: FIRST_PIECE,
    stall: null,
  };
}

/** The server that is talked to. */
export function serverOf({ phase }: State): Server | null {
  return phase.at === 'creating' || phase.at === 'locating' || phase.at === 'sending' ? phase.server : null;
}
