import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromDrop } from '../../src/gui/files/chosen.ts';

/** What a browser hands out of a drop: a file, one that it may not read, or a folder. */
function entry(path: string, what: 'file' | 'unreadable' | object[]): object {
  const fullPath = `/${path}`;
  if (what === 'file')
    return { isFile: true, fullPath, file: (done: (file: object) => void) => done({ path }) };
  if (what === 'unreadable') {
    return {
      isFile: true,
      fullPath,
      file: (_: unknown, failed: (error: Error) => void) => failed(new Error()),
    };
  }
  const createReader = () => {
    const rest = [...what];
    // It hands out some at a time, and nothing at the end.
    return { readEntries: (done: (some: object[]) => void) => done(rest.splice(0, 2)) };
  };
  return { isFile: false, fullPath, createReader };
}

async function dropped(entries: object[]) {
  const data = { items: entries.map((one) => ({ webkitGetAsEntry: () => one })), files: [] };
  const paths: string[] = [];
  const unreadable: string[] = [];
  let batches = 0;
  for await (const batch of fromDrop(data as unknown as DataTransfer)) {
    paths.push(...batch.chosen.map(({ path }) => path));
    unreadable.push(...batch.unreadable);
    batches++;
  }
  return { paths, unreadable, batches };
}

test('whole folders are read, in their order', async () => {
  const trip = entry('trip', [
    entry('trip/1', 'file'),
    entry('trip/day', [entry('trip/day/2', 'file')]),
    entry('trip/3', 'file'),
  ]);
  const { paths } = await dropped([trip, entry('last', 'file')]);
  assert.deepEqual(paths, ['trip/1', 'trip/day/2', 'trip/3', 'last']);
});

test('one that may not be read does not keep the others from going up', async () => {
  const folder = entry('f', [entry('f/1', 'unreadable'), entry('f/2', 'file')]);
  assert.deepEqual(await dropped([folder]), { paths: ['f/2'], unreadable: ['f/1'], batches: 1 });
});

test('a large folder comes in pieces, a deep one whole', async () => {
  const many = Array.from({ length: 1000 }, (_, number) => entry(`m/${number}`, 'file'));
  const { paths, batches } = await dropped([entry('m', many)]);
  assert.equal(paths.length, 1000);
  assert.equal(batches, 3);
  let deep = entry('file', 'file');
  for (let depth = 0; depth < 3000; depth++) deep = entry('d', [deep]);
  assert.deepEqual((await dropped([deep])).paths, ['file']);
});
