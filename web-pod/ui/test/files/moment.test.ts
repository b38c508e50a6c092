import assert from 'node:assert/strict';
import { test } from 'node:test';
import { before, localText, momentOf } from '../../src/gui/files/moment.ts';
import { format, parse } from '../../src/gui/route.ts';

test('a moment is written by the clock where one is, and sent by that of the servers', () => {
  const at = new Date(2026, 10, 5, 7, 3, 59);
  assert.equal(localText(at), '2026-11-05T07:03');
  assert.equal(momentOf('2026-11-05T07:03'), new Date(2026, 10, 5, 7, 3).toISOString());
  for (const text of ['', 'yesterday', '2026-13-01T00:00']) assert.equal(momentOf(text), undefined, text);
  assert.equal(before(Date.UTC(2026, 0, 2), 86_400_000), '2026-01-01T00:00:00.000Z');
});

test('the past has addresses of its own', () => {
  const moment = '2026-11-05T07:03:00.000Z';
  for (const group of [null, 'design']) {
    for (const path of ['', 'a?b/%2f #/c']) {
      const route = { at: 'past', group, moment, path } as const;
      assert.deepEqual(parse(format(route)), route);
    }
  }
  assert.equal(parse('#/past/own/soon/a').at, 'files');
});
