// One upload, as a state machine without I/O: events go in, the next state and what is to be done come out.

import { backoffMs, nextOf } from '../servers/choice.ts';
import type { Server } from '../servers/server.ts';
import { askLimitMs, patienceMs, type Says, silenceMs, stuckMs, verdict } from '../servers/silence.ts';
import { FIRST_PIECE, nextPiece } from './pieces.ts';
import {
  type Doubt,
  type Effect,
  type Event,
  type Phase,
  type Refusal,
  type State,
  type Step,
  serverOf,
  type World,
} from './state.ts';

/** When the machine wants to be woken by a `tick`. */
export function wakeAt(state: State, world: World): number | null {
  if (state.phase.at === 'waiting') return state.phase.until;
  const server = serverOf(state);
  if (!server) return null;
  if (state.doubt) return state.doubt.since + patienceMs(world.roundTrip(server), state.doubt.took);
  return state.calmSince + silenceMs(world.roundTrip(server));
}

export function step(state: State, event: Event, world: World): Step {
  const stale = 'serial' in event && event.serial !== state.serial;
  if (stale) return [state, []];
  switch (event.on) {
    case 'start':
      return find({ ...state, heard: world.now }, null, false);
    case 'pause':
      return isOver(state) ? [state, []] : [halt(state, { at: 'paused' }), [{ do: 'drop' }]];
    case 'resume':
      if (state.phase.at !== 'paused' && state.phase.at !== 'failed') return [state, []];
      return find(
        { ...state, avoid: [], rounds: 0, quarrels: 0, stall: null, heard: world.now },
        null,
        false,
      );
    case 'decided':
      if (state.phase.at !== 'conflict') return [state, []];
      return find(
        { ...state, replace: event.replace, id: null, acknowledged: 0, sent: 0, heard: world.now },
        null,
        false,
      );
    case 'online':
      return state.phase.at === 'waiting' ? find({ ...state, rounds: 0 }, null, true) : [state, []];
    case 'unreadable':
      return isOver(state) ? [state, []] : fail(state, { status: 0, code: 'file-unreadable' });
    case 'tick':
      return tick(state, world);
    case 'servers':
      return servers(state, event.servers, world);
    case 'no-servers':
      if (state.phase.at !== 'finding') return [state, []];
      if (LOST.has(event.code)) return fail(state, { status: 0, code: 'disk-gone' });
      return wait(state, event.code, event.retryAfterMs, world);
    case 'created':
      if (state.phase.at !== 'creating') return [state, []];
      return send(
        { ...state, id: event.id, acknowledged: event.offset, sent: event.offset },
        state.phase.server,
        world,
      );
    case 'located':
      if (state.phase.at !== 'locating') return [state, []];
      return send({ ...state, acknowledged: event.offset, sent: event.offset }, state.phase.server, world);
    case 'progress':
      return event.sent > state.sent ? moved({ ...state, sent: event.sent }, world) : [state, []];
    case 'taken':
      return taken(state, event.offset, world);
    case 'broke':
      return moveOn(state, world);
    case 'refused':
      return refused(state, event, world);
    case 'said':
      return said(state, event, world);
  }
}

/** The web pod knows the disk no more, or not for this member: waiting changes nothing. */
const LOST: ReadonlySet<string> = new Set(['not-found', 'forbidden']);

function isOver({ phase }: State): boolean {
  return phase.at === 'done' || phase.at === 'failed';
}

/** Leaves the request under way: whatever comes of it is not listened to. */
function halt(state: State, phase: Phase): State {
  return { ...state, phase, doubt: null, serial: state.serial + 1, sent: state.acknowledged };
}

function find(state: State, keep: Server | null, fresh: boolean): Step {
  return [halt(state, { at: 'finding', keep }), [{ do: 'find', fresh }]];
}

function wait(state: State, code: string, retryAfterMs: number, { now }: World): Step {
  const until = now + Math.max(backoffMs(state.rounds + 1), Math.min(retryAfterMs, 5_000));
  return [{ ...halt(state, { at: 'waiting', until, code }), rounds: state.rounds + 1, avoid: [] }, []];
}

function fail(state: State, { code, detail }: Refusal): Step {
  return [halt(state, { at: 'failed', code, detail }), [{ do: 'drop' }]];
}

/** Begins, or goes on, at a server. */
function talk(state: State, server: Server, world: World): Step {
  if (state.whole) return send(state, server, world);
  const next = request(state, world);
  if (state.id === null) {
    const { serial, replace } = next;
    return [{ ...next, phase: { at: 'creating', server } }, [{ do: 'create', server, serial, replace }]];
  }
  return [{ ...next, phase: { at: 'locating', server } }, [{ do: 'locate', server, serial: next.serial }]];
}

function request(state: State, { now }: World): State {
  return { ...state, doubt: null, serial: state.serial + 1, began: now, calmSince: now };
}

function send(state: State, server: Server, world: World): Step {
  const next = request(state, world);
  const from = state.whole ? 0 : state.acknowledged;
  const length = state.whole ? state.size : Math.min(state.piece, state.size - from);
  const phase: Phase = { at: 'sending', server, from, length };
  return [{ ...next, phase, sent: from }, [{ do: 'send', server, serial: next.serial, from, length }]];
}

function servers(state: State, list: readonly Server[], world: World): Step {
  const known = { ...state, candidates: list };
  if (state.phase.at !== 'finding') return [known, []];
  const { keep } = state.phase;
  const kept = keep && list.find(({ name }) => name === keep.name);
  const server = kept ?? nextOf(list, state.avoid) ?? list[0];
  return server ? talk(known, server, world) : wait(known, 'no-ready-server', 0, world);
}

/** Bytes have moved: the silence is over, and so is a standstill. */
function moved(state: State, { now }: World): Step {
  const server = serverOf(state);
  const next = { ...state, heard: now, calmSince: now, doubt: null };
  if (!state.stall || !server) return [next, []];
  const { from, since } = state.stall;
  const effects: Effect[] =
    from.name === server.name ? [] : [{ do: 'moved', from, to: server, standstill: now - since }];
  return [{ ...next, stall: null }, effects];
}

function taken(state: State, offset: number, world: World): Step {
  if (state.phase.at !== 'sending') return [state, []];
  const { server } = state.phase;
  const piece = nextPiece(state.piece, world.now - state.began);
  const [heard, effects] = moved({ ...state, acknowledged: offset, sent: offset }, world);
  const calm = { ...heard, avoid: [], rounds: 0, quarrels: 0, piece };
  if (offset >= state.size) return [halt(calm, { at: 'done' }), effects];
  const [next, more] = send(calm, server, world);
  return [next, [...effects, ...more]];
}

/** This server is given up; the next one is taken, or the web pod is asked for others. */
function moveOn(
  state: State,
  world: World,
  known?: { to?: Server; offset?: number | undefined; retryAfterMs?: number },
): Step {
  const here = serverOf(state);
  if (!here) return [state, []];
  const stall = state.stall ?? { from: here, since: state.heard };
  const avoid = [...state.avoid, here.name];
  const left = { ...halt(state, state.phase), stall, avoid, piece: FIRST_PIECE };
  const before: Effect[] = [{ do: 'drop' }, { do: 'suspect', server: here }];
  const next = known?.to ?? nextOf(state.candidates, avoid);
  let [then, effects]: Step = [left, []];
  if (next && known?.offset !== undefined && state.id !== null) {
    [then, effects] = send({ ...left, acknowledged: known.offset }, next, world);
  } else if (next) {
    [then, effects] = talk(left, next, world);
  } else if (state.rounds === 0) {
    [then, effects] = find({ ...left, avoid: [], rounds: 1 }, null, true);
  } else {
    [then, effects] = wait(left, 'no-ready-server', known?.retryAfterMs ?? 0, world);
  }
  return [then, [...before, ...effects]];
}

/** How often a server may contradict before another one is asked. */
const MOST_QUARRELS = 4;

function refused(state: State, refusal: Refusal, world: World): Step {
  const server = serverOf(state);
  if (!server) return [state, []];
  const { status, code, offset } = refusal;
  const quarrel = { ...state, quarrels: state.quarrels + 1 };
  if (quarrel.quarrels > MOST_QUARRELS) return moveOn({ ...quarrel, quarrels: 0 }, world);
  switch (code) {
    case 'ticket-expired':
    case 'ticket-invalid':
    case 'unauthenticated':
      return find(quarrel, server, true);
    case 'offset-conflict':
      if (offset !== undefined) return send({ ...quarrel, acknowledged: offset }, server, world);
      return talk(quarrel, server, world);
    case 'body-incomplete':
      return talk(quarrel, server, world);
    case 'upload-gone':
      // When every byte was sent, the file may be there, and it is ours.
      return talk(
        { ...quarrel, id: null, acknowledged: 0, replace: state.replace || state.sent === state.size },
        server,
        world,
      );
    case 'exists':
    case 'precondition-failed':
      return [halt(state, { at: 'conflict' }), []];
    case 'not-found':
      // Directories above are made, and an upload that is over is `upload-gone`: what is not there is the disk.
      return fail(state, { status, code: 'disk-gone' });
    case 'quota-exceeded':
    case 'storage-full':
    case 'space-stopped':
      return fail(state, refusal);
  }
  if (status === 429 || status >= 500) {
    return moveOn(state, world, { offset, retryAfterMs: refusal.retryAfterMs ?? 0 });
  }
  return fail(state, refusal);
}

function tick(state: State, world: World): Step {
  const { now } = world;
  if (state.phase.at === 'waiting') return now >= state.phase.until ? find(state, null, true) : [state, []];
  const here = serverOf(state);
  const due = wakeAt(state, world);
  if (!here || due === null || now < due) return [state, []];
  if (state.doubt) return judge(state, state.doubt, world);
  const next = nextOf(state.candidates, [...state.avoid, here.name]);
  const doubt: Doubt = {
    since: now,
    next,
    here: 'nothing yet',
    there: 'nothing yet',
    took: undefined,
    offset: undefined,
  };
  const ask = (server: Server): Effect => {
    return { do: 'ask', server, serial: state.serial, limit: askLimitMs(world.roundTrip(server)) };
  };
  // Without another server at hand, the web pod may know of one.
  const effects: Effect[] = next ? [ask(here), ask(next)] : [ask(here), { do: 'find', fresh: true }];
  return [{ ...state, doubt }, effects];
}

function said(
  state: State,
  { server, says, offset }: { server: string; says: Says; offset?: number },
  world: World,
): Step {
  if (!state.doubt) return [state, []];
  const isNext = server === state.doubt.next?.name;
  const took = world.now - state.doubt.since;
  const doubt = isNext ? { ...state.doubt, there: says, took, offset } : { ...state.doubt, here: says };
  const rose = offset !== undefined && offset > state.durable;
  const known = rose ? { ...state, durable: offset, stirred: world.now } : state;
  return judge({ ...known, doubt }, doubt, world);
}

function judge(state: State, doubt: Doubt, world: World): Step {
  const here = serverOf(state);
  if (!here) return [state, []];
  const times = {
    waited: world.now - doubt.since,
    patience: patienceMs(world.roundTrip(here), doubt.took),
    still: world.now - Math.max(state.heard, state.stirred),
    // Of an upload in pieces the server tells how much is there; of a file that goes up whole, nothing before its end.
    stuck: stuckMs(state.whole ? state.sent : 0),
  };
  switch (verdict(doubt.here, doubt.next && doubt.there, times)) {
    case 'wait':
      return [state, []];
    case 'stay': {
      // The next silence is asked about anew; a next server that kept silent itself is not asked again.
      const had = doubt.there === 'refuses' || times.waited >= times.patience;
      const silent = doubt.next && doubt.there !== 'answers' && had;
      const avoid = silent && doubt.next ? [...state.avoid, doubt.next.name] : state.avoid;
      return [{ ...state, doubt: null, calmSince: world.now, avoid }, []];
    }
    case 'move':
      return moveOn(state, world, doubt.next ? { to: doubt.next, offset: doubt.offset } : {});
  }
}
