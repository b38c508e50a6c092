// The disk servers at hand: one lease a space, asked for once however many want it, and which servers failed lately.

import { ordered } from './choice.ts';
import { Lines } from './lines.ts';
import type { Lease, Server } from './server.ts';

/** Asks the web pod where a space is. */
export type Find = (space: string) => Promise<Lease>;

/** The servers of every space that is in use. */
export class Pool {
  readonly lines = new Lines();
  private readonly find: Find;
  private readonly leases = new Map<string, Lease>();
  private readonly asked = new Map<string, Promise<Lease>>();
  private readonly failures = new Map<string, number>();

  constructor(find: Find) {
    this.find = find;
  }

  /**
   * A ticket and the servers for a space, best first. `fresh` asks the web pod in any case.
   *
   * @throws {Problem} the reason why there is none
   */
  async lease(space: string, fresh = false): Promise<Lease> {
    const known = this.leases.get(space);
    if (known && !fresh && known.until > Date.now()) return this.sorted(known);
    const running = this.asked.get(space) ?? this.ask(space);
    return this.sorted(await running);
  }

  /** Takes a lease that came otherwise. */
  keep(space: string, lease: Lease): void {
    this.leases.set(space, lease);
    this.lines.measure(lease.servers);
  }

  /** The last ticket, even if it may be over by now: for what is on its way out. */
  ticket(space: string): string | undefined {
    return this.leases.get(space)?.ticket;
  }

  /** A server did not do what it should. */
  suspect(server: Server): void {
    this.failures.set(server.name, Date.now());
  }

  /** A server did. */
  trust(server: Server): void {
    this.failures.delete(server.name);
  }

  /** Forgets everything: somebody else may sign in. */
  clear(): void {
    this.leases.clear();
    this.asked.clear();
  }

  private async ask(space: string): Promise<Lease> {
    const running = this.find(space);
    this.asked.set(space, running);
    try {
      const lease = await running;
      this.keep(space, lease);
      return lease;
    } finally {
      if (this.asked.get(space) === running) this.asked.delete(space);
    }
  }

  private sorted(lease: Lease): Lease {
    return { ...lease, servers: ordered(lease.servers, this.failures, Date.now()) };
  }
}
