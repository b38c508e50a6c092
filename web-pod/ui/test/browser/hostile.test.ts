// Names that are anything but names, folders without end, a browser that keeps nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { furnish } from '../fake/example.ts';
import { lay, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();

const NAMES = [
  '<img src=x onerror=alert(1)>.txt',
  '"><svg onload=alert(1)>',
  '{{7*7}} $\u007b7*7} %s %n',
  '\u202Egnp.exe',
  'تقرير الربع الأخير.pdf',
  '👩‍👩‍👧‍👦'.repeat(10),
  'é한글'.normalize('NFD'),
  'C:\\windows\\..',
  '..%2f..%2fetc',
  '#?&=+;,@:!$ 100%',
  ' spaces at both ends ',
  'x'.repeat(255),
  '​zero width',
];

before(async () => {
  furnish(stage.fake);
  for (const name of NAMES) own().store(`names/${name}`, { size: 1, hash: '' }, true);
  await stage.start();
});
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(stage.strangers, []);
});

test('whatever a file is called is a name and nothing else', async () => {
  for (const viewport of [
    { width: 1100, height: 900 },
    { width: 360, height: 900 },
  ]) {
    const page = await stage.signedIn({ viewport }, '#/files/own/names');
    page.on('dialog', () => assert.fail('something ran'));
    await page
      .locator('.row')
      .nth(NAMES.length - 1)
      .waitFor();
    const shown = await page.locator('.row .entry-name > span').allTextContents();
    assert.deepEqual(shown.sort(), [...NAMES].sort());
    const width = await page.evaluate(() => document.scrollingElement?.scrollWidth);
    assert.equal(width, viewport.width, 'nothing lies beyond the edge');
    await page.close();
  }
});

test('every one of them can be fetched, renamed, deleted and brought back', async () => {
  const page = await stage.signedIn({}, '#/files/own/names');
  for (const name of NAMES.slice(0, 5)) {
    // By its name: its place in the list changes as others come and go.
    const row = page.locator('.row', { has: page.getByText(name, { exact: true }) });
    await row.locator('.modified').click();
    await page.keyboard.press('F2');
    await page.locator('input.rename').fill(`${name}!`);
    await page.locator('input.rename').press('Enter');
    await until(
      () => own().nodes.has(`names/${name}!`) && !own().nodes.has(`names/${name}`),
      `${name} is renamed`,
    );
    await page.locator('input.rename').waitFor({ state: 'detached' });
    await page.keyboard.press('Delete');
    await until(() => !own().nodes.has(`names/${name}!`), `${name} is deleted`);
    const note = page.locator('.toast', { hasText: 'moved to the trash' }).last();
    await note.getByRole('button', { name: 'Undo' }).click();
    await until(() => own().nodes.has(`names/${name}!`), `${name} is back`);
    await page.getByText('Taken back.').waitFor();
  }
  await page.close();
});

test('a folder sixty deep has a way back up', async () => {
  const deep = Array.from({ length: 60 }, (_, depth) => `level ${depth}`).join('/');
  own().makeDirectory(deep, true);
  const page = await stage.signedIn(
    { viewport: { width: 360, height: 700 } },
    `#/files/own/${deep.split('/').map(encodeURIComponent).join('/')}`,
  );
  await page.locator('.crumbs').getByText('level 59').waitFor();
  assert.equal(await page.evaluate(() => document.scrollingElement?.scrollWidth), 360);
  await page.locator('.crumbs').getByRole('link', { name: 'level 58' }).click();
  await page.locator('.row').getByText('level 59').waitFor();
  await page.close();
});

test('a browser that keeps nothing still shows the page and sends files up', async () => {
  const page = await stage.page();
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, 'localStorage', {
      get: () => {
        throw new DOMException('no', 'SecurityError');
      },
    });
  });
  await page.reload();
  await page.locator('input[name=member]').fill(stage.fake.me);
  await page.locator('input[name=password]').fill(stage.fake.password);
  await page.locator('button[type=submit]').click();
  await page.locator('.shell').waitFor();
  await page.locator('.language select').selectOption('ko');
  await page.getByText('내 디스크').first().waitFor();
  await page.locator('input[data-upload=files]').setInputFiles(lay('kept.bin', 5 << 20));
  await page.locator('.line.done').waitFor();
  await page.close();
});
