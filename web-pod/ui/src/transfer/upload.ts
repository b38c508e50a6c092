// One upload at work: feeds what happens to the machine, and does what the machine says.

import type { Disk } from '../requests/disk.ts';
import { operationId } from '../requests/ids.ts';
import { noAnswer, Problem } from '../requests/problem.ts';
import type { Server } from '../servers/server.ts';
import { after } from './clock.ts';
import { tell } from './diagnostics.ts';
import { step, wakeAt } from './machine.ts';
import { fingerprint, type Memory } from './memory.ts';
import { WHOLE_UP_TO } from './pieces.ts';
import { begin, type Effect, type Event, type State, serverOf, type World } from './state.ts';
import type { Place, Told, Wire } from './wire.ts';

/** Progress is told of not more often than this. */
const TELL_MS = 100;

/** What goes up, and where. */
export interface Wish {
  readonly file: File;
  readonly space: string;
  readonly path: string;
}

/** An upload. */
export class Upload {
  readonly wish: Wish;
  private readonly disk: Disk;
  private readonly wire: Wire;
  private readonly memory: Memory;
  private readonly key: string;
  private readonly changed: (upload: Upload) => void;
  private readonly operation = operationId();
  private born: number | undefined;
  private current: State;
  private ticket = '';
  private request: XMLHttpRequest | null = null;
  private ended = new AbortController();
  private alarm: { readonly at: number; readonly off: () => void } | undefined;
  private told = 0;

  constructor(
    wish: Wish,
    parts: {
      disk: Disk;
      wire: Wire;
      memory: Memory;
      changed: (upload: Upload) => void;
      /** Whether it goes up in one request, however large it is. */
      whole?: boolean;
    },
  ) {
    this.wish = wish;
    this.disk = parts.disk;
    this.wire = parts.wire;
    this.memory = parts.memory;
    this.changed = parts.changed;
    this.key = fingerprint(wish.file, wish.space, wish.path);
    const id = this.memory.take(this.key, Date.now());
    const whole = parts.whole === true || wish.file.size <= WHOLE_UP_TO;
    this.current = begin(wish.file.size, whole, performance.now(), id);
  }

  /** What it is doing. */
  get state(): State {
    return this.current;
  }

  start(): void {
    this.born = this.disk.seen(this.wish.space);
    this.dispatch({ on: 'start' });
  }

  /** Stops, to go on later. */
  pause(): void {
    this.dispatch({ on: 'pause' });
  }

  /** Goes on after a pause or a failure. */
  resume(): void {
    this.dispatch({ on: 'resume' });
  }

  /** The line is back: nothing is waited for any longer. */
  online(): void {
    this.dispatch({ on: 'online' });
  }

  /** Takes the place of what is there. */
  replace(): void {
    this.dispatch({ on: 'decided', replace: true });
  }

  /** Stops for good. */
  cancel(): void {
    this.dispatch({ on: 'pause' });
    this.abandon();
  }

  /** Gives back what was reserved. */
  private abandon(): void {
    const { id, phase, candidates } = this.current;
    this.memory.forget(this.key, Date.now());
    const [server] = candidates;
    if (id !== null && server && phase.at !== 'done') void this.wire.abandon(server, this.place(), id);
  }

  private place(): Place {
    return { space: this.wish.space, path: this.wish.path, ticket: this.ticket };
  }

  private world(): World {
    return { now: performance.now(), roundTrip: (server) => this.disk.pool.lines.roundTrip(server) };
  }

  private dispatch(event: Event): void {
    const before = this.current;
    const [next, effects] = step(before, event, this.world());
    this.current = next;
    for (const effect of effects) this.carryOut(effect);
    this.arm();
    this.report(before);
    if (next !== before) this.changed(this);
  }

  /** Wakes the machine when it wants to be. Woken early it only looks at the time: one alarm serves many wishes. */
  private arm(): void {
    const world = this.world();
    const at = wakeAt(this.current, world);
    if (at === null || (this.alarm && this.alarm.at > at)) {
      this.alarm?.off();
      this.alarm = undefined;
    }
    if (at === null || this.alarm) return;
    const off = after(Math.max(at - world.now, 1), () => {
      this.alarm = undefined;
      this.dispatch({ on: 'tick' });
    });
    this.alarm = { at, off };
  }

  private report(before: State): void {
    const { path } = this.wish;
    const { phase, sent, acknowledged, size } = this.current;
    const server = serverOf(this.current) ?? serverOf(before);
    const now = performance.now();
    const acknowledges = acknowledged !== before.acknowledged;
    if (server && (acknowledges || (sent > before.sent && now - this.told >= TELL_MS))) {
      this.told = now;
      tell({
        event: 'progress',
        path,
        offset: Math.max(sent, acknowledged),
        acknowledged,
        size,
        server: server.name,
      });
    }
    if (phase === before.phase) return;
    if (phase.at === 'done') {
      this.memory.forget(this.key, Date.now());
      tell({ event: 'done', path, size });
    }
    if (phase.at === 'waiting') tell({ event: 'waiting', path, code: phase.code });
    if (phase.at === 'failed') tell({ event: 'failed', path, code: phase.code, detail: phase.detail });
    if (phase.at === 'conflict') tell({ event: 'conflict', path, code: 'exists' });
  }

  private carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'drop':
        this.ended.abort();
        this.ended = new AbortController();
        this.request?.abort();
        this.request = null;
        return;
      case 'suspect':
        this.disk.pool.suspect(effect.server);
        return;
      case 'moved':
        tell({
          event: 'moved',
          path: this.wish.path,
          from: effect.from.name,
          to: effect.to.name,
          standstillMs: Math.round(effect.standstill),
        });
        return;
      case 'find':
        void this.find(effect.fresh);
        return;
      case 'create':
        void this.create(effect.server, effect.serial, effect.replace);
        return;
      case 'locate':
        void this.locate(effect.server, effect.serial);
        return;
      case 'ask':
        void this.ask(effect.server, effect.serial, effect.limit);
        return;
      case 'send':
        this.send(effect.server, effect.serial, effect.from, effect.length);
        return;
    }
  }

  private async find(fresh: boolean): Promise<void> {
    try {
      const lease = await this.disk.pool.lease(this.wish.space, fresh);
      this.ticket = lease.ticket;
      this.dispatch({ on: 'servers', servers: lease.servers });
    } catch (error) {
      const { code, retryAfterMs } = problem(error);
      this.dispatch({ on: 'no-servers', code, retryAfterMs });
    }
  }

  private async create(server: Server, serial: number, replace: boolean): Promise<void> {
    const { signal } = this.ended;
    await this.answer(serial, async () => {
      const { size } = this.current;
      const made = await this.wire.create(server, this.place(), { size, replace, signal });
      this.memory.keep(this.key, made.id, Date.now());
      this.dispatch({ on: 'created', serial, ...made });
      this.warm();
    });
  }

  private async locate(server: Server, serial: number): Promise<void> {
    const { signal } = this.ended;
    await this.answer(serial, async () => {
      const { id } = this.current;
      if (id === null) return;
      const offset = await this.wire.locate(server, this.place(), id, signal);
      this.memory.keep(this.key, id, Date.now());
      this.dispatch({ on: 'located', serial, offset });
      this.warm();
    });
  }

  private async answer(serial: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.refused(serial, problem(error));
    }
  }

  private refused(serial: number, problem: Problem): void {
    if (problem.status === 0) return this.dispatch({ on: 'broke', serial });
    const { status, code, detail, retryAfterMs, offset } = problem;
    this.dispatch({ on: 'refused', serial, status, code, detail, retryAfterMs, offset });
  }

  private async ask(server: Server, serial: number, limit: number): Promise<void> {
    const said = await this.wire.ask(server, this.place(), this.current.id, limit);
    this.dispatch({ on: 'said', serial, server: server.name, ...said });
  }

  /** Asks the next server once for this upload: its connection and its leave to talk to us are there in haste. */
  private warm(): void {
    const { candidates, id } = this.current;
    const next = candidates.find(({ name }) => name !== serverOf(this.current)?.name);
    if (next && id !== null) void this.wire.ask(next, this.place(), id, TELL_MS * 20);
  }

  private send(server: Server, serial: number, from: number, length: number): void {
    const { file } = this.wish;
    const { whole, id, replace } = this.current;
    this.request?.abort();
    const told: Told = {
      progress: (loaded) => this.dispatch({ on: 'progress', serial, sent: from + Math.min(loaded, length) }),
      taken: (offset) => this.dispatch({ on: 'taken', serial, offset }),
      refused: (problem) => this.refused(serial, problem),
      broke: () => {
        this.dispatch({ on: 'broke', serial });
        void this.checkFile();
      },
    };
    this.request = whole
      ? this.wire.put(
          server,
          this.place(),
          { operation: this.operation, born: this.born, replace },
          file,
          told,
        )
      : this.wire.patch(server, this.place(), id ?? '', from, file.slice(from, from + length), told);
    void this.renew();
  }

  /** A request also breaks when the file is no longer what was chosen: then no other server is of any use. */
  private async checkFile(): Promise<void> {
    try {
      await this.wish.file.slice(0, 1).arrayBuffer();
    } catch {
      this.dispatch({ on: 'unreadable' });
      this.abandon();
    }
  }

  /** A ticket that is about to end is renewed while the bytes go on. */
  private async renew(): Promise<void> {
    try {
      const { ticket, servers } = await this.disk.pool.lease(this.wish.space);
      if (ticket === this.ticket) return;
      this.ticket = ticket;
      this.dispatch({ on: 'servers', servers });
    } catch {
      // The ticket at hand may last; when it does not, its refusal leads to a new one.
    }
  }
}

function problem(error: unknown): Problem {
  return error instanceof Problem ? error : noAnswer();
}
