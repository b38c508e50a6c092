import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparison, finder, type Item, keyed } from '../../src/gui/files/order.ts';
import { mappedInSlices, sortedInSlices } from '../../src/gui/files/slices.ts';

const file = (name: string, size = 1, modified = '2026-11-25T10:00:00Z'): Item =>
  keyed({ name, kind: 'file', size, modified, etag: '' });
const names = (items: readonly Item[]) => items.map(({ name }) => name);

test('directories come first, numbers in their order', () => {
  const items = [file('file 10', 1), file('file 9', 5), keyed({ name: 'Z', kind: 'directory', etag: '' })];
  const by = (column: 'name' | 'size', descending: boolean) =>
    names([...items].sort(comparison({ column, descending })));
  assert.deepEqual(by('name', false), ['Z', 'file 9', 'file 10']);
  assert.deepEqual(by('name', true), ['Z', 'file 10', 'file 9']);
  assert.deepEqual(by('size', true), ['Z', 'file 9', 'file 10']);
});

test('names are in the order in which one looks for them, in every script', () => {
  const wanted = ['a', 'Ärger', 'B', 'Zebra', 'é2', 'é10', '가나', '각', '개', '나 2', '나 11'];
  const order = comparison({ column: 'name', descending: false });
  const sorted = names(
    [...wanted]
      .reverse()
      .map((name) => file(name))
      .sort(order),
  );
  assert.deepEqual(sorted, ['a', 'Ärger', 'B', 'é2', 'é10', 'Zebra', '가나', '각', '개', '나 2', '나 11']);
  // Taken apart, as one system stores it, it stands where it stood in one piece.
  const apart = '각'.normalize('NFD');
  assert.deepEqual(names([file('개'), file(apart), file('가나')].sort(order)), ['가나', apart, '개']);
});

test('the order of two entries does not depend on who asks', () => {
  const items = ['A', 'a', 'á', '007', '7', '7.0', `${'9'.repeat(40)}`, '', '😀', '가'].map((name) =>
    file(name),
  );
  for (const column of ['name', 'size', 'modified'] as const) {
    const compare = comparison({ column, descending: false });
    for (const a of items)
      for (const b of items) assert.equal(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0);
  }
});

test('in slices it comes out as at once', async () => {
  const random = (seed: number) => () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed;
  };
  const next = random(7);
  for (const count of [0, 1, 511, 512, 513, 5000]) {
    const items = await mappedInSlices(
      Array.from({ length: count }, () => ({ name: `n ${next() % 900}`, kind: 'file' as const, etag: '' })),
      keyed,
    );
    const compare = comparison({ column: 'name', descending: true });
    const sliced = await sortedInSlices(items, compare, () => true);
    assert.deepEqual(names(sliced ?? []), names([...items].sort(compare)));
  }
  let asked = 0;
  const items = Array.from({ length: 3000 }, (_, number) => file(String(number)));
  const dropped = await sortedInSlices(
    items,
    () => 0,
    () => ++asked < 3,
  );
  assert.equal(dropped, undefined, 'what is no longer wanted is not finished');
});

test('what is typed is found, whatever its case and form', () => {
  assert.ok(finder('REPORT')('Quarterly report.pdf'));
  assert.ok(finder('제주')('2026 제주'.normalize('NFD')));
  assert.ok(finder('제주'.normalize('NFD'))('2026 제주'));
  assert.ok(!finder('b')('Aa'));
  for (const name of ['a.b', 'c++', '(1)', '[x]', '$&', 'a\\b', 'x|y', '^', 'a-b', 'a/b'])
    assert.ok(finder(name)(`before ${name} after`), name);
  assert.ok(!finder('a.b')('axb'));
});
