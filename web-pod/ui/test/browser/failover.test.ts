// The built page in a real browser, over servers that are taken away in the middle of an upload: that it goes on
// elsewhere, that not a byte is lost, and for how long it stood still.

import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Diagnosis } from '../../src/transfer/diagnostics.ts';
import type { Fault } from '../fake/disk-pod.ts';
import { Fake } from '../fake/fake.ts';

const MIB = 1 << 20;
const BIG = 96 * MIB;
/** Slow enough that there is a middle. */
const SPEED = 60 * MIB;

const folder = mkdtempSync(join(tmpdir(), 'internet-disk-ui-'));
const fake = new Fake();
let close = async () => {};
let open: () => Promise<Page>;
const hashes = new Map<string, string>();

function lay(name: string, size: number): void {
  const content = randomFillSync(Buffer.alloc(size));
  writeFileSync(join(folder, name), content);
  hashes.set(name, createHash('sha256').update(content).digest('hex'));
}

before(async () => {
  lay('big.bin', BIG);
  for (let number = 0; number < 40; number++) lay(`small-${number}`, number * 777);
  await fake.start();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-sync',
    ],
  });
  close = () => browser.close();
  open = async () => {
    const page = await browser.newPage();
    await page.goto(fake.web.url);
    await page.locator('input[name=member]').fill(fake.me);
    await page.locator('input[name=password]').fill(fake.password);
    await page.locator('button[type=submit]').click();
    await page.locator('.shell').waitFor();
    return page;
  };
});

after(async () => {
  await close();
  fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Uploads the named files to a directory, tells of every event, and returns them when all files are up. */
async function upload(
  page: Page,
  names: readonly string[],
  on: (detail: Diagnosis) => void,
): Promise<Diagnosis[]> {
  const told: Diagnosis[] = [];
  let settle: { done: () => void; failed: (error: Error) => void } | undefined;
  const settled = new Promise<void>((done, failed) => {
    settle = { done, failed };
  });
  await page.exposeFunction('told', (detail: Diagnosis) => {
    told.push(detail);
    on(detail);
    if (detail.event === 'failed') settle?.failed(new Error(detail.code));
    if (told.filter(({ event }) => event === 'done').length === names.length) settle?.done();
  });
  await page.evaluate(() => {
    const tell = (globalThis as unknown as { told: (detail: unknown) => void }).told;
    addEventListener('internet-disk:transfer', (event) => tell((event as CustomEvent).detail));
  });
  await page.locator('input[data-upload=files]').setInputFiles(names.map((name) => join(folder, name)));
  await settled;
  return told;
}

const FAULTS: [Fault, string][] = [
  ['kill', 'is killed'],
  ['stop', 'is stopped'],
  ['hang', 'loses its volume'],
  ['drain', 'is told to end'],
];

for (const [fault, what] of FAULTS) {
  test(`an upload goes on while its server ${what}`, async (context) => {
    fake.own().nodes.clear();
    const page = await open();
    for (const pod of fake.pods) pod.speed = SPEED;
    let victim: string | undefined;
    const told = await upload(page, [...hashes.keys()], (detail) => {
      if (
        detail.event !== 'progress' ||
        victim ||
        !detail.path.endsWith('big.bin') ||
        detail.offset < BIG / 3
      )
        return;
      victim = detail.server;
      void fake.pods.find(({ name }) => name === victim)?.take(fault);
    });
    await fake.pods.find(({ name }) => name === victim)?.take('none');
    await page.close();
    for (const [name, hash] of hashes) assert.equal(fake.own().nodes.get(name)?.hash, hash, name);
    const moves = told.filter((detail) => detail.event === 'moved').filter(({ path }) => path === 'big.bin');
    const moved = moves.find(({ from }) => from === victim);
    assert.ok(moved, 'it moved');
    assert.notEqual(moved.to, victim);
    context.diagnostic(`stood still for ${moved.standstillMs} ms`);
    assert.ok(moved.standstillMs < 1000, `stood still for ${moved.standstillMs} ms`);
  });
}

test('a slow line is not a dead server', async () => {
  fake.own().nodes.clear();
  const page = await open();
  // A piece takes seconds, and what the browser has handed over stands still for much longer than half a second.
  for (const pod of fake.pods) pod.speed = MIB / 2;
  lay('slow.bin', 4.5 * MIB);
  const told = await upload(page, ['slow.bin'], () => {});
  await page.close();
  assert.equal(fake.own().nodes.get('slow.bin')?.hash, hashes.get('slow.bin'));
  assert.deepEqual(
    told.filter(({ event }) => event === 'moved'),
    [],
  );
});

test('an upload goes on where it was after the page was loaded again', async () => {
  fake.own().nodes.clear();
  const page = await open();
  page.on('dialog', (dialog) => void dialog.accept());
  for (const pod of fake.pods) {
    pod.speed = SPEED;
    pod.received = 0;
  }
  const before = upload(page, ['big.bin'], (detail) => {
    if (detail.event === 'progress' && detail.acknowledged > BIG / 3) void page.reload();
  });
  before.catch(() => undefined);
  await page.waitForEvent('load');
  await page.locator('.files, .empty').first().waitFor();
  await page.locator('input[data-upload=files]').setInputFiles(join(folder, 'big.bin'));
  await page.locator('.line.done').waitFor();
  await page.close();
  assert.equal(fake.own().nodes.get('big.bin')?.hash, hashes.get('big.bin'));
  const sent = fake.pods.reduce((sum, { received }) => sum + received, 0);
  assert.ok(sent < BIG * 1.5, `${sent} bytes were sent of a file of ${BIG}`);
});

test('what is paused goes on, and what is cancelled gives back what it had reserved', async () => {
  fake.own().nodes.clear();
  const page = await open();
  for (const pod of fake.pods) pod.speed = SPEED / 4;
  const names = ['big.bin', 'small-5', 'small-6'];
  const done = upload(page, names, () => {});
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await page.locator('.line.running progress').waitFor();
  await button('Pause all').click();
  await page.locator('.line.paused').first().waitFor();
  await page.locator('.line.running').waitFor({ state: 'detached' });
  for (const pod of fake.pods) pod.speed = SPEED;
  await button('Resume all').click();
  await done;
  for (const name of names) assert.equal(fake.own().nodes.get(name)?.hash, hashes.get(name), name);

  await button('Clear the list').click();
  lay('other.bin', BIG);
  await page.locator('input[data-upload=files]').setInputFiles(join(folder, 'other.bin'));
  await page.locator('.line.running progress').waitFor();
  await button('Cancel: other.bin').click();
  await page.locator('.queue').waitFor({ state: 'detached' });
  const deadline = Date.now() + 5000;
  while (fake.own().reserved > 0 && Date.now() < deadline) await new Promise((go) => setTimeout(go, 20));
  assert.equal(fake.own().reserved, 0);
  assert.equal(fake.own().nodes.has('other.bin'), false);
  await page.close();
});

test('a file that is changed meanwhile fails, and is not tried at every server for ever', async () => {
  fake.own().nodes.clear();
  const page = await open();
  for (const pod of fake.pods) pod.speed = SPEED;
  lay('changing.bin', BIG);
  let changed = false;
  const done = upload(page, ['changing.bin'], (detail) => {
    if (detail.event !== 'progress' || changed) return;
    changed = true;
    lay('changing.bin', MIB);
  });
  await assert.rejects(done, /file-unreadable/);
  await page.locator('.line.failed').waitFor();
  await page.close();
  assert.equal(fake.own().nodes.has('changing.bin'), false);
});
