// Several uploads at once, in an order in which big ones do not starve small ones. A browser opens six connections to
// a server at most: one is left for questions, so that a full queue is not taken for a silent server.

import { WHOLE_UP_TO } from './pieces.ts';

const SMALL_AT_ONCE = 3;
const BIG_AT_ONCE = 2;

export interface Sized {
  readonly size: number;
}

/** Which of those that wait, in their order, are to begin, while `running` are under way. Nothing here asks anybody. */
export function toBegin<T extends Sized>(waiting: readonly T[], running: readonly Sized[]): T[] {
  const isSmall = ({ size }: Sized) => size <= WHOLE_UP_TO;
  const small = running.filter(isSmall).length;
  const room = { small: SMALL_AT_ONCE - small, big: BIG_AT_ONCE - (running.length - small) };
  const chosen: T[] = [];
  for (const one of waiting) {
    if (room.small <= 0 && room.big <= 0) break;
    const kind = isSmall(one) ? 'small' : 'big';
    if (room[kind] <= 0) continue;
    room[kind]--;
    chosen.push(one);
  }
  return chosen;
}
