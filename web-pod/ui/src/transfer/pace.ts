// Speed and time left, from what was sent when. Nothing here asks anybody.

/** The speed is taken over the last so many milliseconds: long enough to be read, short enough to be true. */
const WINDOW_MS = 5_000;

/** A running record of how many bytes were sent. */
export class Pace {
  private readonly samples: { at: number; total: number }[] = [];

  /** Notes that `total` bytes were sent up to now. A total that falls, as after a restart, begins anew. */
  note(total: number, now: number): void {
    const last = this.samples.at(-1);
    if (last && total < last.total) this.samples.length = 0;
    this.samples.push({ at: now, total });
    while (this.samples.length > 2 && now - (this.samples[1]?.at ?? now) > WINDOW_MS) this.samples.shift();
  }

  /** Bytes a second; 0 when nothing moves. */
  speed(now: number): number {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (!first || !last || now - first.at < 200) return 0;
    return ((last.total - first.total) * 1000) / (now - first.at);
  }

  /** Seconds that `rest` bytes will take; undefined when nothing moves. */
  left(rest: number, now: number): number | undefined {
    const speed = this.speed(now);
    return speed > 0 ? rest / speed : undefined;
  }
}
