import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint, Memory } from '../../src/transfer/memory.ts';

function store() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

test('an upload is remembered for the same file at the same place', () => {
  const memory = new Memory(store());
  const key = (path: string, lastModified = 1) => fingerprint({ size: 10, lastModified }, 'space', path);
  memory.keep(key('a b'), 'id', 0);
  assert.equal(memory.take(key('a'), 1), undefined);
  assert.equal(memory.take(key('a b', 2), 1), undefined, 'the file was changed');
  assert.equal(memory.take(key('a b'), 1), 'id');
  assert.equal(memory.take(key('a b'), 2), undefined, 'it is handed out once');
  memory.keep(key('a b'), 'id', 0);
  assert.equal(memory.take(key('a b'), 25 * 3600 * 1000), undefined, 'it will have expired');
});

test('a browser that keeps nothing, or nonsense, does no harm', () => {
  const none = new Memory(undefined);
  none.keep('a', 'id', 0);
  assert.equal(none.take('a', 0), undefined);
  const broken = new Memory({
    getItem: () => '{',
    setItem: () => {
      throw new Error('full');
    },
  });
  broken.keep('a', 'id', 0);
  assert.equal(broken.take('a', 0), undefined);
});

test('the oldest are forgotten', () => {
  const memory = new Memory(store());
  for (let number = 0; number < 250; number++) memory.keep(String(number), 'id', number);
  assert.equal(memory.take('0', 250), undefined);
  assert.equal(memory.take('249', 250), 'id');
});
