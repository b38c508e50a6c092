import assert from 'node:assert/strict';
import { test } from 'node:test';
import { date, duration, size } from '../../src/words/amounts.ts';
import { en } from '../../src/words/en.ts';
import { ko } from '../../src/words/ko.ts';

test('sizes have three figures at most', () => {
  const table: [number, string][] = [
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1048575, '1 MiB'],
    [12_800_000, '12.2 MiB'],
    [6 * 2 ** 30, '6 GiB'],
    [2 ** 60, '1,024 PiB'],
  ];
  for (const [bytes, expected] of table) assert.equal(size(bytes, 'en'), expected);
  assert.equal(size(1536, 'ko'), '1.5 KiB');
});

test('times left are rounded up', () => {
  assert.equal(duration(0.2, 'en'), '1 sec');
  assert.equal(duration(59.5, 'en'), '60 sec');
  assert.equal(duration(61, 'en'), '2 min');
  assert.equal(duration(61, 'ko'), '2분');
  assert.equal(duration(7200, 'en'), '2 hr');
});

test('dates say what one looks for', () => {
  const now = new Date(2026, 10, 25, 12);
  assert.match(date(new Date(2026, 10, 25, 9, 5).toISOString(), 'en', now), /9:05/);
  assert.equal(date(new Date(2026, 2, 3).toISOString(), 'en', now), 'Mar 3');
  assert.match(date(new Date(2024, 2, 3).toISOString(), 'ko', now), /2024년/);
  assert.equal(date('never', 'en', now), '');
});

test('both languages say everything, and in their own words', () => {
  const same = new Set(['locale']);
  for (const [key, text] of Object.entries(en)) {
    const other = (ko as Record<string, unknown>)[key];
    assert.equal(typeof other, typeof text, key);
    if (typeof text === 'string' && !same.has(key)) assert.notEqual(other, text, key);
    if (text && typeof text === 'object')
      assert.deepEqual(Object.keys(other as object).sort(), Object.keys(text).sort(), key);
  }
  assert.equal(en.items(1), '1 item');
  assert.equal(en.items(2000), '2,000 items');
});
