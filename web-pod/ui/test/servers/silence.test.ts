import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  askLimitMs,
  patienceMs,
  type Says,
  silenceMs,
  smoothed,
  stuckMs,
  type Verdict,
  verdict,
} from '../../src/servers/silence.ts';

test('a silence is asked about after half a second, or four round trips on a longer line', () => {
  const table: [number | undefined, number][] = [
    [undefined, 500],
    [1, 500],
    [125, 500],
    [200, 800],
    [600, 2400],
    [5000, 4000],
  ];
  for (const [roundTrip, expected] of table) assert.equal(silenceMs(roundTrip), expected, String(roundTrip));
});

test('this server has as long as the next one needs, and longer', () => {
  const table: [number | undefined, number | undefined, number][] = [
    [undefined, 5, 200],
    [100, 5, 300],
    [5, 180, 360],
    [5, undefined, 400],
  ];
  for (const [roundTrip, took, expected] of table) assert.equal(patienceMs(roundTrip, took), expected);
  for (const roundTrip of [undefined, 5, 300]) {
    const longest = 2 * patienceMs(roundTrip, undefined);
    assert.ok(askLimitMs(roundTrip) >= longest, 'a question that runs out is no refusal that comes too soon');
  }
});

test('one late answer does not make a line long', () => {
  assert.equal(smoothed(undefined, 40), 40);
  assert.equal(smoothed(40, 360), 80);
  let trip: number | undefined;
  for (let sample = 0; sample < 40; sample++) trip = smoothed(trip, 100);
  assert.equal(trip, 100);
});

test('the upload moves only when the next server answers and this one does not', () => {
  const soon = { waited: 20, patience: 200, still: 520, stuck: stuckMs(0) };
  const over = { waited: 200, patience: 200, still: 700, stuck: stuckMs(0) };
  const stuck = { waited: 20, patience: 200, still: 6000, stuck: stuckMs(0) };
  const blind = { ...stuck, stuck: stuckMs(1 << 20) };
  const table: [Says, Says | undefined, typeof soon, Verdict, string][] = [
    ['nothing yet', 'nothing yet', soon, 'wait', 'both may still answer'],
    ['nothing yet', 'answers', soon, 'wait', 'this one has its time, too'],
    ['nothing yet', 'answers', over, 'move', 'a dead server'],
    ['refuses', 'answers', soon, 'move', 'a server that says that it cannot'],
    ['refuses', 'nothing yet', soon, 'wait', 'the next one has its time'],
    ['refuses', 'nothing yet', over, 'stay', 'it is the line'],
    ['nothing yet', 'nothing yet', over, 'stay', 'it is the line'],
    ['nothing yet', 'refuses', soon, 'wait', 'this one may still answer'],
    ['nothing yet', 'refuses', over, 'stay', 'there is nowhere to go'],
    ['answers', 'nothing yet', soon, 'stay', 'a slow line'],
    ['answers', 'answers', soon, 'stay', 'a slow line'],
    ['answers', 'answers', stuck, 'move', 'it answers, and takes nothing'],
    ['answers', 'answers', blind, 'stay', 'a megabyte may be on its way for longer'],
    ['answers', 'nothing yet', stuck, 'wait', 'before it is left, the next one must answer'],
    ['nothing yet', undefined, soon, 'wait', 'it is the only one'],
    ['nothing yet', undefined, over, 'stay', 'it is the only one'],
  ];
  for (const [here, next, times, expected, why] of table)
    assert.equal(verdict(here, next, times), expected, why);
});
