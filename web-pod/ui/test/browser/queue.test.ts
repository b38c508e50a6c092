// The queue, where it needs the member: names that are taken, a disk that is full.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { go, lay, longestTask, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();
const QUOTA = 12 * 2 ** 30;

before(() => stage.start());
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
});
beforeEach(() => {
  own().nodes.clear();
  own().uploads.clear();
  own().limit = QUOTA;
});

interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}
const file = (name: string, text: string): Given => ({ name, mimeType: '', buffer: Buffer.from(text) });
const choose = (page: Page, files: Given[] | string) =>
  page.locator('input[data-upload=files]').setInputFiles(files);
const text = (path: string) => own().nodes.get(path)?.content?.toString();
const lines = (page: Page, status: string) => page.locator(`.line.${status}`);

test('names that are taken: one by one, and all at once', async () => {
  for (const name of ['a', 'b', 'c', 'd'])
    own().store(name, { size: 3, hash: '', content: Buffer.from('old') }, true);
  const page = await stage.signedIn();
  await choose(
    page,
    ['a', 'b', 'c', 'd', 'e'].map((name) => file(name, `new ${name}`)),
  );
  await until(async () => (await lines(page, 'conflict').count()) === 4, 'four names are taken');
  await lines(page, 'done').waitFor();
  assert.equal(text('e'), 'new e');
  await page.getByRole('button', { name: 'Keep both: a' }).click();
  await until(() => text('a (2)') === 'new a', 'both are kept');
  await page.getByRole('button', { name: 'Skip: b' }).click();
  await page
    .getByRole('group', { name: 'For all of them:' })
    .getByRole('button', { name: 'Replace' })
    .click();
  await until(() => text('c') === 'new c' && text('d') === 'new d', 'the others are replaced');
  assert.equal(text('a'), 'old');
  assert.equal(text('b'), 'old');

  // What was said for all holds for those whose turn comes later, and no longer than this queue.
  await until(
    async () => (await page.locator('.queue strong').textContent()) === '4 files uploaded',
    'all is done',
  );
  await choose(page, [file('c', 'newer')]);
  await lines(page, 'conflict').waitFor();
  await page.getByRole('button', { name: 'Skip: c' }).click();
  assert.equal(text('c'), 'new c');
  await page.close();
});

test('one answer is enough for a whole folder', async () => {
  const names = Array.from({ length: 30 }, (_, number) => `n${number}`);
  for (const name of names) own().store(name, { size: 3, hash: '', content: Buffer.from('old') }, true);
  const page = await stage.signedIn();
  await choose(
    page,
    names.map((name) => file(name, 'new')),
  );
  await lines(page, 'conflict').first().waitFor();
  await page
    .getByRole('group', { name: 'For all of them:' })
    .getByRole('button', { name: 'Keep both' })
    .click();
  await until(() => names.every((name) => text(`${name} (2)`) === 'new'), 'every one of them is kept');
  assert.ok(names.every((name) => text(name) === 'old'));
  await page.close();
});

test('a disk that is full in the middle says what to do, and goes on when there is room', async () => {
  own().limit = 4500;
  const page = await stage.signedIn();
  const requests = () => stage.fake.pods.reduce((sum, pod) => sum + pod.requests, 0);
  const before = requests();
  const names = Array.from({ length: 40 }, (_, number) => `f${number}`);
  await choose(
    page,
    names.map((name) => file(name, 'x'.repeat(1000))),
  );
  await page.getByText(/^There is no room for 36 files/).waitFor();
  await page.getByText('empty the trash').waitFor();
  assert.equal(own().nodes.size, 4);
  // The four, those on their way with the fourth, and looks at the list and the usage.
  const asked = requests() - before;
  assert.ok(asked < 30, `what can not fit is not even tried: ${asked} requests`);
  own().limit = QUOTA;
  await page.locator('.decisions.full').getByRole('button', { name: 'Try again' }).click();
  await until(() => own().nodes.size === 40, 'all of them are up');
  await page.locator('.queue strong', { hasText: '40 files uploaded' }).waitFor();
  await page.close();
});

test('a group that is left while files go up says so; a session that ends lets them go on', async () => {
  const { fake } = stage;
  fake.addGroup({
    name: 'trip',
    displayName: 'Trip',
    description: null,
    policy: 'Open',
    minimum: 0,
    members: new Map([[fake.me, { displayName: 'Alice Kim', role: 'Editor', granted: 2 ** 30 }]]),
  });
  for (const pod of fake.pods) pod.speed = 1_500_000;
  const page = await stage.signedIn({}, '#/shared/trip');
  await choose(page, lay('big', 6 << 20));
  await lines(page, 'running').locator('progress').waitFor();
  fake.volume.spaces.delete('group-trip');
  fake.groups.delete('trip');
  await lines(page, 'failed')
    .getByText(/You have no part in this disk any more/)
    .waitFor();
  await page.getByRole('button', { name: 'Cancel: big' }).click();

  await page
    .getByRole('link', { name: /^My disk/ })
    .first()
    .click();
  await choose(page, lay('big', 6 << 20));
  await lines(page, 'running').locator('progress').waitFor();
  fake.web.forgetSessions();
  // Every ticket is refused from now on, so that the web pod is asked, which asks who one is.
  fake.refuseTickets = true;
  await page.getByText('Your session is over').waitFor();
  fake.refuseTickets = false;
  for (const pod of fake.pods) pod.speed = 0;
  await page.locator('input[name=member]').fill(fake.me);
  await page.locator('input[name=password]').fill(fake.password);
  await page.locator('button[type=submit]').click();
  await until(() => own().nodes.has('big'), 'it goes on');
  await page.close();
});

test('ten thousand small files go up while the page stays at hand', async (context) => {
  const page = await stage.signedIn();
  const many = 10_000;
  await page.evaluate((count) => {
    const data = new DataTransfer();
    for (let number = 0; number < count; number++) data.items.add(new File([String(number)], `s${number}`));
    const input = document.querySelector<HTMLInputElement>('input[data-upload=files]');
    if (!input) throw new Error('no field for files');
    input.files = data.files;
  }, many);
  const session = await page.context().newCDPSession(page);
  /** What is held when all that can be let go of is. */
  const held = async () => {
    // To look for objects is what makes the browser let go of all that it can.
    const { result } = await session.send('Runtime.evaluate', { expression: 'XMLHttpRequest.prototype' });
    for (let turn = 0; turn < 6; turn++) {
      await session.send('HeapProfiler.collectGarbage');
      await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '' });
    }
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
  let rate = 0;
  const longest = await longestTask(page, async () => {
    await page.locator('input[data-upload=files]').dispatchEvent('change');
    await page.locator('.queue strong', { hasText: 'of 10,000 files' }).waitFor();
    const began = Date.now();
    const before = own().nodes.size;
    await new Promise((go) => setTimeout(go, 3000));
    rate = Math.round(((own().nodes.size - before) * 1000) / (Date.now() - began));
  });
  // The list of the folder grows with the folder: one looks at another.
  own().makeDirectory('Elsewhere', false);
  await go(page, '#/files/own/Elsewhere');
  await page.getByText('Nothing here yet').waitFor();
  const first = { held: await held(), files: own().nodes.size };
  await new Promise((go) => setTimeout(go, 4000));
  const second = { held: await held(), files: own().nodes.size };
  const grown = Math.round((second.held - first.held) / Math.max(second.files - first.files, 1));
  context.diagnostic(`${rate} files a second, the longest task took ${longest} ms of CPU`);
  context.diagnostic(
    `${Math.round(second.held / 1024)} KiB held, ${grown} bytes more with each file that is up`,
  );
  assert.ok(grown < 4096, `each file that is up leaves ${grown} bytes behind`);
  assert.ok(rate > 10, `${rate} files a second`);
  assert.ok(longest < 100, `a task took ${longest} ms`);
  await page.getByRole('button', { name: 'Cancel all', exact: true }).click();
  await page.locator('dialog[open]').getByRole('button', { name: 'Cancel all' }).click();
  await page.locator('.queue').waitFor({ state: 'detached' });
  await page.close();
});
