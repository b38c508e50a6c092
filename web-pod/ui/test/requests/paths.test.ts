import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, parse, type Route } from '../../src/gui/route.ts';
import { operationId } from '../../src/requests/ids.ts';
import { freeName, inUrl, join, nameOf, parentOf } from '../../src/requests/paths.ts';
import { problemFrom } from '../../src/requests/problem.ts';

test('paths', () => {
  assert.equal(join('', 'a'), 'a');
  assert.equal(join('a', 'b'), 'a/b');
  assert.equal(nameOf('a/b'), 'b');
  assert.equal(nameOf('a'), 'a');
  assert.equal(parentOf('a/b/c'), 'a/b');
  assert.equal(parentOf('a'), '');
  assert.equal(inUrl('a b/100%/?#'), 'a%20b/100%25/%3F%23');
});

test('a free name', () => {
  const taken = new Set(['a.txt', 'a (2).txt', 'folder', '.profile']);
  const free = (name: string) => freeName(name, (one) => taken.has(one));
  assert.equal(free('b.txt'), 'b.txt');
  assert.equal(free('a.txt'), 'a (3).txt');
  assert.equal(free('folder'), 'folder (2)');
  assert.equal(free('.profile'), '.profile (2)');
});

test('addresses lead back to where one was', () => {
  const routes: Route[] = [
    { at: 'files', group: null, path: '' },
    { at: 'files', group: null, path: '사진/100% sure?/#1.jpg' },
    { at: 'files', group: 'design', path: 'own/x' },
    { at: 'group', name: 'design' },
    { at: 'groups' },
  ];
  for (const route of routes) assert.deepEqual(parse(format(route)), route);
  assert.deepEqual(parse('#/nonsense/%'), { at: 'files', group: null, path: '' });
});

test('refusals are read from what pods, and others, say', () => {
  const headers: Record<string, string> = { 'retry-after': '2', 'upload-offset': '77' };
  const told = problemFrom(503, '{"code":"draining","detail":"go on"}', (name) => headers[name] ?? null);
  assert.deepEqual([told.code, told.detail, told.retryAfterMs, told.offset], ['draining', 'go on', 2000, 77]);
  const table: [number, string][] = [
    [401, 'ticket-expired'],
    [410, 'upload-gone'],
    [409, 'offset-conflict'],
    [502, 'no-ready-server'],
    [507, 'quota-exceeded'],
    [418, 'bad-request'],
  ];
  for (const [status, code] of table) assert.equal(problemFrom(status, '<html>', () => null).code, code);
});

test('ids are UUIDs', () => {
  assert.match(operationId(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(operationId(), operationId());
});
