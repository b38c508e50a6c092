// A long and narrow line to a server: a proxy that lets so much through a second, late, and stands still now and then.
// All connections through one line share it, as those of a household do.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Manner {
  /** Bytes a second, each way. */
  readonly rate: number;
  /** How long each byte is on its way, in milliseconds. */
  readonly delay: number;
  /** It stands still for so long, so often. */
  readonly stall: { readonly every: number; readonly for: number };
}

/** What goes one way: the connections take turns, a packet each. */
class Way {
  private readonly waiting: { from: Socket; data: Buffer; to: Socket }[] = [];
  private readonly manner: Manner;
  private readonly began: number;
  private busy = false;
  /** When it has let through all that it took. */
  private free = 0;

  constructor(manner: Manner, began: number) {
    this.manner = manner;
    this.began = began;
  }

  take(from: Socket, to: Socket): void {
    from.on('data', (data) => {
      // Nothing piles up in the proxy that the browser would take for sent.
      from.pause();
      this.waiting.push({ from, data: data as Buffer, to });
      if (!this.busy) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.busy = true;
    const { rate, delay } = this.manner;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const { from, to } = next;
      const packet = next.data.subarray(0, PACKET);
      const rest = next.data.subarray(PACKET);
      await pause(this.stalled());
      // By the clock: a timer that comes late on a busy machine does not make the line slower.
      const now = performance.now();
      this.free = Math.max(this.free, now - LATE_MS) + (packet.length * 1000) / rate;
      await pause(this.free - now);
      setTimeout(() => to.writable && to.write(packet), delay);
      if (rest.length > 0) this.waiting.push({ ...next, data: rest });
      else from.resume();
    }
    this.busy = false;
  }

  /** How long it stands still from now on. */
  private stalled(): number {
    const { every, for: length } = this.manner.stall;
    const at = (performance.now() - this.began) % every;
    return at > every - length ? every - at : 0;
  }
}

const PACKET = 4 << 10;
const LATE_MS = 100;
const pause = (ms: number) => (ms > 0 ? new Promise<void>((go) => setTimeout(go, ms)) : undefined);

export class Line {
  private readonly up: Way;
  private readonly down: Way;
  private readonly delay: number;
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  constructor(manner: Manner) {
    const began = performance.now();
    this.up = new Way(manner, began);
    this.down = new Way(manner, began);
    this.delay = manner.delay;
  }

  /** The address under which a server is found through this line. */
  async to(url: string): Promise<string> {
    const { hostname, port } = new URL(url);
    const server = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1');
      this.up.take(near, far);
      this.down.take(far, near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.setNoDelay();
        one.on('error', () => other.destroy());
        // What is on its way arrives before the end does.
        one.on('close', () => {
          this.sockets.delete(one);
          setTimeout(() => other.destroy(), this.delay);
        });
      }
    });
    this.servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://${hostname}:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
