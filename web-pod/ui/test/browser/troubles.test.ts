// What can go wrong on the member's side: they read in their language what happened and what to do, and lose nothing.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { lay, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();
const KOREAN = { locale: 'ko-KR' };
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
  for (const pod of stage.fake.pods) pod.speed = 0;
});

const choose = (page: Page, ...paths: string[]) =>
  page.locator('input[data-upload=files]').setInputFiles(paths);
const line = (page: Page, status: string) => page.locator(`.line.${status}`);

/** Files that exist in the page alone. */
async function drop(page: Page, files: [name: string, text: string][]): Promise<void> {
  const dataTransfer = await page.evaluateHandle((wanted) => {
    const data = new DataTransfer();
    for (const [name, text] of wanted) data.items.add(new File([text], name));
    return data;
  }, files);
  await page.locator('.page').dispatchEvent('drop', { dataTransfer });
}

test('a name that no server takes is told at its file, and the others go up', async () => {
  const page = await stage.signedIn(KOREAN);
  const long = '🐋'.repeat(255);
  await drop(page, [
    [long, 'x'],
    ['보통.txt', 'y'],
  ]);
  await line(page, 'failed').getByText('쓸 수 없는 이름입니다.').waitFor();
  await until(() => own().nodes.has('보통.txt'), 'the other is up');
  assert.equal(
    await page.evaluate(() => document.scrollingElement?.scrollWidth),
    1280,
    'nothing lies beyond',
  );
  await page.close();
});

test('a file that changes while it goes up is said to have changed, and can be chosen again', async () => {
  for (const pod of stage.fake.pods) pod.speed = 2_000_000;
  const page = await stage.signedIn(KOREAN);
  const path = lay('바뀌는 파일.bin', 9 << 20);
  await choose(page, path);
  await line(page, 'running').locator('progress').waitFor();
  writeFileSync(path, Buffer.alloc(1000));
  await line(page, 'failed').getByText('파일이 바뀌었거나 읽을 수 없습니다. 다시 고르세요.').waitFor();
  assert.equal(own().nodes.size, 0, 'half a file is none');
  for (const pod of stage.fake.pods) pod.speed = 0;
  await choose(page, path);
  await until(() => own().nodes.get('바뀌는 파일.bin')?.size === 1000, 'as it is now');
  await page.close();
});

test('a file that the browser may not read is named, and the others of its folder go up', async () => {
  const page = await stage.signedIn(KOREAN);
  // A browser's own folders can not be made by a test: these are such as it hands over.
  await page.evaluate(() => {
    const file = (name: string, readable: boolean) => ({
      isFile: true,
      fullPath: `/folder/${name}`,
      file: (done: (file: File) => void, failed: (error: Error) => void) =>
        readable ? done(new File(['text'], name)) : failed(new DOMException('no', 'NotReadableError')),
    });
    let entries: unknown[] = [file('열리는 파일', true), file('잠긴 파일', false)];
    const folder = {
      isDirectory: true,
      fullPath: '/folder',
      createReader: () => ({
        readEntries: (done: (some: unknown[]) => void) => {
          done(entries);
          entries = [];
        },
      }),
    };
    const event = new Event('drop', { bubbles: true, cancelable: true });
    const items = [{ webkitGetAsEntry: () => folder }];
    Object.assign(event, { dataTransfer: { types: ['Files'], items, files: [] } });
    document.querySelector('.page')?.dispatchEvent(event);
  });
  await page.getByText('브라우저가 “잠긴 파일” 파일을 읽을 수 없습니다.').waitFor();
  await until(() => own().nodes.has('folder/열리는 파일'), 'the other is up');
  await page.close();
});

test('the quota that is reached in the middle says how much does not fit', async () => {
  own().limit = 2500;
  const page = await stage.signedIn(KOREAN);
  await drop(
    page,
    Array.from({ length: 5 }, (_, number): [string, string] => [`f${number}`, 'x'.repeat(1000)]),
  );
  await page.getByText('공간이 모자라 파일 3개').waitFor();
  assert.equal(own().nodes.size, 2);
  own().limit = QUOTA;
  await page.locator('.decisions.full').getByRole('button', { name: '다시 시도' }).click();
  await until(() => own().nodes.size === 5, 'the others follow');
  await page.close();
});

test('a group that is left and a session that ends are said in the language of the member', async () => {
  const { fake } = stage;
  const members = new Map([[fake.me, { displayName: 'Alice Kim', role: 'Editor', granted: 2 ** 30 }]]);
  fake.addGroup({
    name: 'trip',
    displayName: 'Trip',
    description: null,
    policy: 'Open',
    minimum: 0,
    members,
  });
  for (const pod of fake.pods) pod.speed = 1_500_000;
  const page = await stage.signedIn(KOREAN, '#/shared/trip');
  const path = lay('여행.bin', 6 << 20);
  await choose(page, path);
  await line(page, 'running').locator('progress').waitFor();
  fake.volume.spaces.delete('group-trip');
  fake.groups.delete('trip');
  await line(page, 'failed').getByText('파일은 원래 자리에 그대로 있습니다.').waitFor();

  fake.web.forgetSessions();
  await page.getByText('로그인이 만료되었습니다.').waitFor();
  await page.close();
});

test('a clock that is ten minutes off, either way, keeps nothing from going up', async () => {
  for (const off of [-600_000, 600_000]) {
    const page = await stage.page(KOREAN);
    await page.addInitScript((ms) => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + ms;
    }, off);
    await page.reload();
    await page.locator('input[name=member]').fill(stage.fake.me);
    await page.locator('input[name=password]').fill(stage.fake.password);
    await page.locator('button[type=submit]').click();
    await page.locator('.shell').waitFor();
    await choose(page, lay(`clock${off}.bin`, 6 << 20), lay(`small${off}`, 10));
    await until(() => own().nodes.has(`clock${off}.bin`) && own().nodes.has(`small${off}`), 'both are up');
    assert.equal(await page.locator('.toast.bad').count(), 0);
    await page.close();
  }
});

test('a browser whose storage is full still shows the page and sends files up', async () => {
  const page = await stage.page(KOREAN);
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  await page.reload();
  await page.locator('input[name=member]').fill(stage.fake.me);
  await page.locator('input[name=password]').fill(stage.fake.password);
  await page.locator('button[type=submit]').click();
  await page.locator('.shell').waitFor();
  await page.locator('.views button').nth(1).click();
  await choose(page, lay('full.bin', 6 << 20));
  await until(() => own().nodes.has('full.bin'), 'it is up');
  await page.close();
});

test('a network that is lost in the middle is said to be, and the upload goes on where it was', async () => {
  const size = 12 << 20;
  for (const pod of stage.fake.pods) {
    pod.speed = 4_000_000;
    pod.received = 0;
  }
  const page = await stage.signedIn(KOREAN);
  await choose(page, lay('가는 중.bin', size));
  await until(() => [...own().uploads.values()].some(({ offset }) => offset > size / 3), 'a third is there');
  await page.context().setOffline(true);
  for (const pod of stage.fake.pods) await pod.take('kill');
  await page.getByText('오프라인입니다.').waitFor();
  await line(page, 'waiting').waitFor();
  for (const pod of stage.fake.pods) {
    await pod.take('none');
    pod.speed = 0;
  }
  await page.context().setOffline(false);
  await until(() => own().nodes.get('가는 중.bin')?.size === size, 'it goes on');
  const sent = stage.fake.pods.reduce((sum, { received }) => sum + received, 0);
  assert.ok(sent < size * 1.5, `${sent} bytes were sent of a file of ${size}`);
  await page.close();
});

test('what one member changes another one sees within two seconds', async (context) => {
  const [here, there] = [await stage.signedIn(), await stage.signedIn(KOREAN)];
  const entry = (page: Page, name: string) =>
    page.locator('.row', { has: page.getByText(name, { exact: true }) });
  const took: number[] = [];
  const timed = async (what: Promise<void>) => {
    const began = Date.now();
    await what;
    took.push(Date.now() - began);
  };
  await here.getByText('Nothing here yet').waitFor();
  await there.getByText('아직 비어 있습니다').waitFor();
  await drop(here, [['plan.txt', 'v1']]);
  await until(() => own().nodes.has('plan.txt'), 'it is stored');
  await timed(entry(there, 'plan.txt').waitFor());
  await entry(there, 'plan.txt').locator('.modified').click();
  await there.keyboard.press('F2');
  await there.locator('input.rename').fill('계획.txt');
  await there.locator('input.rename').press('Enter');
  await until(() => own().nodes.has('계획.txt'), 'it is renamed');
  await timed(entry(here, '계획.txt').waitFor());
  await entry(here, '계획.txt').locator('.modified').click();
  await here.keyboard.press('Delete');
  await until(() => !own().nodes.has('계획.txt'), 'it is deleted');
  await timed(entry(there, '계획.txt').waitFor({ state: 'detached' }));
  context.diagnostic(`after ${took.join(', ')} ms`);
  await here.close();
  await there.close();
});
