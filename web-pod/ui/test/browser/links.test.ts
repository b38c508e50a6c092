// Share links: made, listed and taken back by a member; opened by somebody who is none.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { furnish } from '../fake/example.ts';
import { makeShare } from '../fake/shares.ts';
import { lay, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();

before(() => stage.start());
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(stage.strangers, []);
});
beforeEach(() => {
  own().nodes.clear();
  own().trash = [];
  stage.fake.groups.clear();
  furnish(stage.fake);
  own().shares = [];
});

const row = (page: Page, name: string) =>
  page.locator('.row', { has: page.getByText(name, { exact: true }) });

async function share(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Share by link' }).click();
}

/** Comes by a link as somebody whom nobody knows. */
const visit = (token: string, options = {}) => stage.page(options, `/s/${token}`);

test('a link is made by keyboard, its address copied, listed, and taken back', async () => {
  const page = await stage.signedIn({ permissions: ['clipboard-read', 'clipboard-write'] });
  await row(page, 'Photos').locator('.modified').click();
  await page.keyboard.press('ContextMenu');
  await page.getByRole('menu').waitFor();
  await page.getByRole('menuitem', { name: 'Share by link' }).press('Enter');
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('See, download and add').press('Space');
  await dialog.getByLabel('Password (may be empty)').fill('open sesame');
  await dialog.locator('select').selectOption('week');
  await dialog.getByLabel('How often it opens').fill('5');
  await dialog.getByLabel('How often it opens').press('Enter');
  const field = dialog.getByLabel('Address of the link', { exact: true });
  const address = await field.inputValue();
  const [made] = own().shares;
  assert.ok(made);
  assert.equal(address, `${stage.fake.web.url}/s/${made.token}`);
  assert.deepEqual(
    [made.path, made.access, made.password, made.mostUses],
    ['Photos', 'ReadAndUpload', 'open sesame', 5],
  );
  const days = (Date.parse(made.expires ?? '') - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1, `${days} days`);
  await dialog.getByRole('button', { name: /^Copy/ }).click();
  await page.getByText('Copied.').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
  await dialog.getByRole('button', { name: 'Done' }).click();

  await share(page, 'Photos');
  await dialog.getByText('opened 0 of 5 times').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Links' }).click();
  await page.getByRole('heading', { name: 'Links into My disk' }).waitFor();
  await page.getByText('with a password').waitFor();
  await page.getByRole('button', { name: 'Take back: Photos' }).click();
  await dialog.getByRole('button', { name: 'Take back' }).click();
  await page.getByText('Nothing is shared by a link').waitFor();
  assert.equal(own().shares.length, 0);
  await page.close();
});

test('what the disk asks of links is said in the language of the member, who can do it then', async () => {
  const page = await stage.signedIn({ locale: 'ko-KR' });
  own().linksNeed = 'password';
  await page.getByRole('button', { name: 'notes.txt 작업' }).click();
  await page.getByRole('menuitem', { name: '링크로 공유' }).click();
  const dialog = page.locator('dialog[open]');
  const make = dialog.getByRole('button', { name: '링크 만들기' });
  await make.click();
  await dialog.getByText('링크에 비밀번호가 있어야 하거나').waitFor();
  own().linksNeed = 'end';
  await make.click();
  await dialog.getByText('만료를 고르세요.').waitFor();
  await dialog.locator('select').selectOption('date');
  await dialog.locator('input[type=date]').fill('2099-12-24');
  await make.click();
  await dialog.getByText('주소는 지금 한 번만 표시됩니다.').waitFor();
  own().linksNeed = undefined;
  const end = new Date(own().shares[0]?.expires ?? '');
  assert.deepEqual(
    [end.getUTCFullYear(), end.getUTCMonth(), end.getUTCDate(), end.getUTCHours()],
    [2099, 11, 24, 23],
  );
  await page.close();
});

test('a file is seen and fetched by whoever has its link', async () => {
  const { token } = makeShare(own(), { path: 'harbour at dawn.jpg' });
  const page = await visit(token);
  await page.getByRole('heading', { name: 'harbour at dawn.jpg' }).waitFor();
  await page.locator('.preview-body img.there').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'harbour at dawn.jpg');
  assert.deepEqual(readFileSync(await download.path()), own().nodes.get('harbour at dawn.jpg')?.content);
  assert.equal(await page.title(), 'harbour at dawn.jpg — Internet Disk');
  await page.close();
});

test('a folder is gone through by keyboard, and fetched as a zip', async () => {
  const { token } = makeShare(own(), { path: 'Photos' });
  const page = await visit(token);
  await row(page, 'Hallasan.jpg').waitFor();
  // What is above it is not even named, and nothing of it can be changed.
  assert.equal(await page.locator('.crumbs').textContent(), 'Photos');
  await row(page, 'Hallasan.jpg').click({ button: 'right', position: { x: 400, y: 20 } });
  assert.deepEqual(await page.getByRole('menuitem').allTextContents(), ['Open', 'Download']);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Delete');
  await page.keyboard.press('F2');
  assert.equal(await page.locator('input.rename').count(), 0);
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await row(page, 'list.txt').waitFor();
  assert.equal(await page.locator('.crumbs').textContent(), 'Photos2026 제주');
  await page.locator('[data-index="0"]').focus();
  await page.keyboard.press('Backspace');
  await row(page, 'Hallasan.jpg').waitFor();
  await page.locator('[data-index="0"]').focus();
  await page.keyboard.press('Backspace');
  await row(page, 'Hallasan.jpg').waitFor();
  const [all] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as a zip' }).click(),
  ]);
  assert.equal(all.suggestedFilename(), 'Photos.zip');
  assert.ok(readFileSync(await all.path(), 'latin1').includes('Hallasan.jpg'));
  assert.ok(own().nodes.has('Photos/Hallasan.jpg'));
  await page.close();
});

test('a password is asked for, a wrong one said so, and each opening counts once', async () => {
  const made = makeShare(own(), { path: 'notes.txt', password: 'right', mostUses: 2 });
  const page = await visit(made.token);
  await page.getByRole('heading', { name: 'A file is shared with you' }).waitFor();
  assert.equal(await page.getByText('notes.txt').count(), 0, 'its name is not told before');
  await page.getByLabel('Password of this link').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the password.').waitFor();
  await page.getByLabel('Password of this link').fill('right');
  await page.keyboard.press('Enter');
  await page.getByText('Dora asks for the poster').waitFor();
  assert.equal(made.used.size, 1);
  // Loaded again in the same tab, it is the same use.
  await page.reload();
  await page.getByLabel('Password of this link').fill('right');
  await page.keyboard.press('Enter');
  await page.getByText('Dora asks for the poster').waitFor();
  assert.equal(made.used.size, 1);
  await page.close();
});

test('what has ended, was taken back or is used up says so', async () => {
  const gone = await visit('nowhere');
  await gone.getByRole('heading', { name: 'This link leads nowhere' }).waitFor();
  await gone.getByText('was taken back').waitFor();
  await gone.close();

  const once = makeShare(own(), { path: 'notes.txt', mostUses: 1 });
  const first = await visit(once.token);
  await first.getByText('can be opened 1 more time').waitFor();
  assert.equal(once.used.size, 0, 'to look counts for nothing');
  await first.getByRole('button', { name: 'Open' }).click();
  await first.getByText('Dora asks for the poster').waitFor();
  const second = await visit(once.token, { locale: 'ko-KR' });
  await second.getByRole('heading', { name: '모두 사용한 링크입니다' }).waitFor();
  await first.close();
  await second.close();

  // Taken back while somebody is in the folder.
  const folder = makeShare(own(), { path: 'Photos' });
  const page = await visit(folder.token);
  await row(page, '2026 제주').waitFor();
  own().shares = [];
  await row(page, '2026 제주').getByRole('link').click();
  await page.getByRole('heading', { name: 'This link leads nowhere' }).waitFor();
  await page.close();

  // Ended between the look and the opening.
  const ending = makeShare(own(), {
    path: 'notes.txt',
    mostUses: 5,
    expires: new Date(Date.now() + 5_000).toISOString(),
  });
  const late = await visit(ending.token);
  await late.getByRole('button', { name: 'Open' }).waitFor();
  await until(() => Date.parse(ending.expires ?? '') < Date.now(), 'it has ended');
  await late.getByRole('button', { name: 'Open' }).click();
  await late.getByText(/^It ended /).waitFor();
  await late.close();
});

test('a drop box takes files, large ones and ones of the same name, and shows none', async () => {
  own().makeDirectory('Handed in', false);
  own().store('Handed in/essay.txt', { size: 3, hash: '', content: Buffer.from('old') }, true);
  const { token } = makeShare(own(), { path: 'Handed in', access: 'Upload' });
  const page = await visit(token);
  await page.getByRole('heading', { name: 'Add files to “Handed in”' }).waitFor();
  assert.equal(await page.getByText('essay.txt').count(), 0);
  await page.locator('input[data-upload=files]').setInputFiles([
    { name: 'essay.txt', mimeType: '', buffer: Buffer.from('new') },
    { name: 'other.txt', mimeType: '', buffer: Buffer.from('other') },
  ]);
  await page.locator('.queue strong', { hasText: '2 files uploaded' }).waitFor();
  assert.equal(own().nodes.get('Handed in/essay.txt')?.content?.toString(), 'old', 'nothing is replaced');
  assert.equal(own().nodes.get('Handed in/essay (2).txt')?.content?.toString(), 'new');
  await page.locator('input[data-upload=files]').setInputFiles(lay('film.bin', 9 << 20));
  await until(() => own().nodes.get('Handed in/film.bin')?.size === 9 << 20, 'a large one is there');
  await page.close();
});
