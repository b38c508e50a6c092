import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../src/transfer/pace.ts';
import { FIRST_PIECE, nextPiece, WHOLE_UP_TO } from '../../src/transfer/pieces.ts';
import { toBegin } from '../../src/transfer/queue.ts';

const small = { size: 10 };
const big = { size: WHOLE_UP_TO + 1 };

test('big files do not starve small ones, nor the other way round', () => {
  const table: [{ size: number }[], { size: number }[], { size: number }[]][] = [
    [[], [], []],
    [[small, small, small, small], [], [small, small, small]],
    [[big, big, big, small], [], [big, big, small]],
    [[big, small], [big, big], [small]],
    [[small, big], [small, small, small], [big]],
    [[small, big], [small, small, small, big, big], []],
  ];
  for (const [waiting, running, expected] of table) assert.deepEqual(toBegin(waiting, running), expected);
  assert.ok(
    toBegin([small, small, small, big, big, big], []).length <= 5,
    'one connection of six is left for questions',
  );
});

test('pieces grow while they are quick and shrink when they are slow', () => {
  assert.equal(nextPiece(FIRST_PIECE, 50), 2 * FIRST_PIECE);
  assert.equal(nextPiece(4 * FIRST_PIECE, 2000), 4 * FIRST_PIECE);
  assert.equal(nextPiece(4 * FIRST_PIECE, 9000), 2 * FIRST_PIECE);
  assert.equal(nextPiece(FIRST_PIECE, 9000), FIRST_PIECE);
  assert.equal(nextPiece(64 * FIRST_PIECE, 10), 64 * FIRST_PIECE);
});

test('the speed is that of the last seconds', () => {
  const pace = new Pace();
  for (let second = 0; second <= 20; second++)
    pace.note(second < 10 ? second * 100 : 1000 + (second - 10) * 500, second * 1000);
  assert.equal(Math.round(pace.speed(20_000)), 500);
  assert.equal(pace.left(5000, 20_000), 10);
  pace.note(0, 21_000);
  assert.equal(pace.speed(21_000), 0, 'a total that falls begins anew');
});
