// The lines to the disk servers: how long a round trip takes, measured where neither storage nor load counts.

import { discard, send } from '../requests/send.ts';
import type { Server } from './server.ts';
import { smoothed } from './silence.ts';

const LIMIT_MS = 2_000;
/** Measured again after so long. */
const FRESH_MS = 15_000;

/** What is known of the lines. */
export class Lines {
  private readonly trips = new Map<string, number>();
  private readonly measured = new Map<string, number>();

  /** The smoothed round trip in milliseconds; undefined when it was never measured. */
  roundTrip(server: Server): number | undefined {
    return this.trips.get(server.name);
  }

  /** Measures all that were not measured lately. It also opens the connections, before one is needed in haste. */
  measure(servers: readonly Server[]): void {
    for (const server of servers) {
      if (performance.now() - (this.measured.get(server.name) ?? Number.NEGATIVE_INFINITY) < FRESH_MS)
        continue;
      this.measured.set(server.name, performance.now());
      void this.ping(server);
    }
  }

  private async ping(server: Server): Promise<void> {
    try {
      // The first one may open a connection, which is a trip more: only the second is counted.
      discard(await send(`${server.url}/v1/ping`, {}, LIMIT_MS));
      const began = performance.now();
      discard(await send(`${server.url}/v1/ping`, {}, LIMIT_MS));
      this.trips.set(server.name, smoothed(this.trips.get(server.name), performance.now() - began));
    } catch {
      // It is found out soon enough when it is needed.
    }
  }
}
