// A line of 1 Mbit/s with 300 ms of delay that stands still for two seconds now and then: the queue finishes, and does not
// take the line for a dead server.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Diagnosis } from '../../src/transfer/diagnostics.ts';
import { Line } from '../fake/line.ts';
import { lay, Stage, until } from './stage.ts';

const stage = new Stage();
const line = new Line({ rate: 125_000, delay: 150, stall: { every: 7_000, for: 2_000 } });
const LARGEST = 1_600_000;

before(async () => {
  await stage.start();
  for (const pod of stage.fake.pods) pod.url = await line.to(pod.url);
});
after(async () => {
  await stage.stop();
  line.close();
  assert.deepEqual(stage.errors, []);
});

test('the queue finishes over a poor line, and stays with its server', async (context) => {
  const page = await stage.signedIn();
  const told: Diagnosis[] = [];
  await page.exposeFunction('told', (detail: Diagnosis) => told.push(detail));
  await page.evaluate(() => {
    const tell = (globalThis as unknown as { told: (detail: unknown) => void }).told;
    addEventListener('internet-disk:transfer', (event) => tell((event as CustomEvent).detail));
  });
  const sizes = new Map([
    ['atlas.bin', LARGEST],
    ...Array.from({ length: 6 }, (_, number) => [`note-${number}`, 3_000 * (number + 1)] as const),
  ]);
  const paths = new Map([...sizes].map(([name, size]) => [name, lay(name, size)]));
  const began = Date.now();
  await page.locator('input[data-upload=files]').setInputFiles([...paths.values()]);
  const { nodes } = stage.fake.own();
  const all = () => [...sizes.keys()].every((name) => nodes.has(name));
  await until(all, 'all of them are up', 55_000).catch((error) => {
    const others = told.filter(({ event }) => event !== 'progress');
    throw new Error(`${error.message}: ${JSON.stringify([...others, told.at(-1)])}`);
  });
  await page.locator('.queue strong', { hasText: '7 files uploaded' }).waitFor();
  const moves = told.filter(({ event }) => event === 'moved');
  const sent = stage.fake.pods.reduce((sum, { received }) => sum + received, 0);
  const whole = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  context.diagnostic(
    `${Math.round((Date.now() - began) / 1000)} s, ${moves.length} moves, ${sent} bytes sent of ${whole}`,
  );
  for (const [name, path] of paths)
    assert.equal(nodes.get(name)?.hash, createHash('sha256').update(readFileSync(path)).digest('hex'), name);
  assert.deepEqual(moves, [], 'it does not hop between servers');
  assert.deepEqual(
    told.filter(({ event }) => event === 'failed'),
    [],
  );
  assert.ok(sent < whole * 1.2, `${sent} bytes were sent for ${whole}`);
  await page.close();
});
