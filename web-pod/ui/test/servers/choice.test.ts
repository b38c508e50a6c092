import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, nextOf, ordered, SUSPECT_MS } from '../../src/servers/choice.ts';

const servers = ['a', 'b', 'c'].map((name) => ({ name, url: `http://${name}` }));
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join('');

test('servers that failed lately are asked last, and not for ever', () => {
  const failures = new Map([['a', 1000]]);
  assert.equal(names(ordered(servers, new Map(), 1000)), 'abc');
  assert.equal(names(ordered(servers, failures, 1001)), 'bca');
  assert.equal(names(ordered(servers, failures, 1000 + SUSPECT_MS)), 'abc');
  const all = new Map(servers.map(({ name }) => [name, 1000]));
  assert.equal(names(ordered(servers, all, 1001)), 'abc', 'when all failed, the web pod’s order holds');
});

test('the next server is the best that was not tried', () => {
  const table: [string[], string | undefined][] = [
    [[], 'a'],
    [['a'], 'b'],
    [['b', 'a'], 'c'],
    [['a', 'b', 'c'], undefined],
  ];
  for (const [avoid, expected] of table) assert.equal(nextOf(servers, avoid)?.name, expected);
});

test('the first time the web pod is asked at once, then less and less often', () => {
  const table: [number, number, number, number][] = [
    [0, 0, 0.5, 0],
    [0, 9000, 0.5, 0],
    [1, 0, 0.5, 250],
    [2, 0, 0.5, 500],
    [3, 0, 0, 750],
    [3, 0, 1, 1250],
    [20, 0, 0.5, 5000],
    [1, 1000, 0.5, 1000],
    [1, 60_000, 0.5, 5000],
  ];
  for (const [rounds, retry, chance, expected] of table) {
    assert.equal(backoffMs(rounds, retry, chance), expected, `${rounds} ${retry} ${chance}`);
  }
});
