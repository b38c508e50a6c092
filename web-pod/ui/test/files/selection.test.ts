import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, type Key } from '../../src/gui/files/keys.ts';
import {
  everything,
  kept,
  NOTHING,
  namesOf,
  picked,
  type Selection,
  stepped,
  toggled,
  typedTo,
} from '../../src/gui/files/selection.ts';
import { rangeOf } from '../../src/gui/files/window.ts';

const items = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, key: name }));
const has = ({ names }: Selection) => [...names].sort().join('');

test('clicks, with and without keys held', () => {
  const one = picked(NOTHING, items, 'b', {});
  assert.equal(has(one), 'b');
  const range = picked(one, items, 'd', { range: true });
  assert.equal(has(range), 'bcd');
  // The range is counted anew from where it began, also to the other side.
  assert.equal(has(picked(range, items, 'a', { range: true })), 'ab');
  const more = picked(range, items, 'e', { add: true });
  assert.equal(has(more), 'bcde');
  assert.equal(has(picked(more, items, 'c', { add: true })), 'bde');
  assert.equal(has(picked(toggled(one, 'e'), items, 'd', { range: true, add: true })), 'bde');
  assert.equal(has(picked(NOTHING, items, 'c', { range: true })), 'abc');
  assert.equal(has(everything(one, namesOf(items))), 'abcde');
});

test('steps stay within the list', () => {
  const at = picked(NOTHING, items, 'd', {});
  const table: [number, string][] = [
    [1, 'e'],
    [3, 'e'],
    [-1, 'c'],
    [-9, 'a'],
    [Number.POSITIVE_INFINITY, 'e'],
    [Number.NEGATIVE_INFINITY, 'a'],
  ];
  for (const [steps, name] of table) assert.equal(stepped(at, items, steps), name, String(steps));
  assert.equal(stepped(NOTHING, items, 1), 'a');
  assert.equal(stepped(NOTHING, items, -1), 'e');
  assert.equal(stepped(NOTHING, items, Number.POSITIVE_INFINITY), 'e');
  assert.equal(stepped(NOTHING, items, Number.NEGATIVE_INFINITY), 'a');
  assert.equal(stepped(NOTHING, [], 1), undefined);
});

test('what is gone is not selected, and the keyboard is where it was', () => {
  const before = picked(picked(NOTHING, items, 'c', {}), items, 'd', { range: true });
  const left = (selection: Selection, some: typeof items) => kept(selection, items, some, namesOf(some));
  const after = left(
    before,
    items.filter(({ name }) => name !== 'd'),
  );
  assert.equal(has(after), 'c');
  assert.equal(after.cursor, 'e');
  assert.equal(left(before, []).cursor, null);
  assert.equal(left(picked(NOTHING, items, 'e', {}), items.slice(0, 2)).cursor, 'b');
  // When nothing has gone, no other set is made.
  assert.equal(left(before, items).names, before.names);
});

test('typing goes to the next name that begins so', () => {
  const names = ['apple', 'Apricot', 'banana'].map((name) => ({ name, key: name }));
  assert.equal(typedTo(names, null, 'a'), 'apple');
  assert.equal(typedTo(names, 'apple', 'a'), 'Apricot');
  assert.equal(typedTo(names, 'Apricot', 'a'), 'apple');
  assert.equal(typedTo(names, 'apple', 'apr'), 'Apricot');
  assert.equal(typedTo(names, 'apple', 'b'), 'banana');
  assert.equal(typedTo(names, 'apple', 'x'), undefined);
});

test('every key does one thing', () => {
  const key = (name: string, held: Partial<Key> = {}): Key => {
    return { key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
  };
  const list = { columns: 1, rows: 10 };
  const grid = { columns: 4, rows: 3 };
  const does = (one: Key, lay = list) => {
    const command = commandOf(one, lay);
    return command?.do === 'step' ? command.by : command?.do === 'type' ? command.letter : command?.do;
  };
  assert.equal(does(key('ArrowDown')), 1);
  assert.equal(does(key('ArrowDown'), grid), 4);
  assert.equal(does(key('ArrowRight')), undefined);
  assert.equal(does(key('ArrowLeft'), grid), -1);
  assert.equal(does(key('PageUp'), grid), -12);
  assert.equal(does(key('a')), 'a');
  assert.equal(does(key('가')), '가');
  assert.equal(does(key('a', { ctrlKey: true })), 'all');
  assert.equal(does(key('A', { metaKey: true })), 'all');
  assert.equal(does(key('r', { ctrlKey: true })), undefined, 'the browser keeps its own');
  assert.equal(does(key('ArrowUp', { altKey: true })), 'up');
  assert.equal(does(key('ArrowLeft', { altKey: true }), grid), undefined);
  assert.equal(does(key('F5')), undefined);
  assert.equal(does(key('Tab')), undefined);
});

test('what is drawn covers what is seen, and little more', () => {
  for (const top of [500, 0, -46, -123_456, -4_599_000, -9_999_999]) {
    const { first, last } = rangeOf(top, 900, 46, 100_000);
    assert.ok(first >= 0 && last <= 100_000 && first <= last, `${top}: ${first} ${last}`);
    assert.ok(last - first <= 60, `${top}: ${last - first} rows`);
    for (const y of [0, 450, 899]) {
      const row = Math.floor((y - top) / 46);
      if (row >= 0 && row < 100_000) assert.ok(row >= first && row < last, `${top}: row ${row}`);
    }
  }
  assert.deepEqual(rangeOf(100, 900, 46, 0), { first: 0, last: 0 });
});
