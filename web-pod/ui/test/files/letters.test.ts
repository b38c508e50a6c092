import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawingType, kindOf } from '../../src/gui/preview/kinds.ts';
import { lettersOf } from '../../src/gui/preview/letters.ts';

test('texts are read in the code they are written in', () => {
  const utf8 = new TextEncoder().encode('안녕 there');
  assert.equal(lettersOf(utf8), '안녕 there');
  assert.equal(lettersOf(utf8.subarray(0, 5)), '안', 'cut in the middle of a letter');
  assert.equal(lettersOf(Uint8Array.of(0xbe, 0xc8, 0xb3, 0xe7)), '안녕', 'as old Korean systems wrote');
  assert.equal(lettersOf(Uint8Array.of(0xff, 0xfe, 0x41, 0x00)), 'A');
  assert.equal(lettersOf(new Uint8Array()), '');
});

test('only what a browser shows is shown', () => {
  const kind = (name: string, size = 10) => kindOf({ name, kind: 'file', size });
  assert.equal(kind('a.JPG'), 'picture');
  assert.equal(kind('a.svg'), 'drawing');
  assert.equal(kind('a.pdf'), 'document');
  assert.equal(kind('page.html'), 'text', 'a page is shown as what it is written like, never run');
  assert.equal(kind('a.exe'), undefined);
  assert.equal(kind('png'), undefined);
  assert.equal(kind('Dockerfile'), 'text');
  assert.equal(kind('huge.png', 2 ** 40), undefined);
  assert.equal(kind('huge.txt', 2 ** 40), 'text');
  assert.equal(kindOf({ name: 'folder.png', kind: 'directory' }), undefined);
  assert.equal(drawingType('a.SVG'), 'image/svg+xml');
});
