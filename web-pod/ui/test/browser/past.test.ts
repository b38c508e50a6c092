// What was: the trash, former versions; and what is found by its name or fetched as one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { furnish } from '../fake/example.ts';
import { go, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();

before(() => stage.start());
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
});
beforeEach(() => {
  own().nodes.clear();
  own().trash = [];
  stage.fake.groups.clear();
  furnish(stage.fake);
});

const row = (page: Page, name: string) =>
  page.locator('.row', { has: page.getByText(name, { exact: true }) });
const pick = (page: Page, name: string, held: ('Shift' | 'Control')[] = []) =>
  row(page, name).locator('.modified').click({ modifiers: held });
const has = (path: string) => own().nodes.has(path);

test('what is deleted is gone at once, and back again', async () => {
  const page = await stage.signedIn();
  await pick(page, 'budget.csv');
  await pick(page, 'Photos', ['Control']);
  await page.keyboard.press('Delete');
  await row(page, 'Photos').waitFor({ state: 'detached' });
  await page.getByText('2 items moved to the trash').waitFor();
  assert.ok(!has('Photos/Hallasan.jpg') && !has('budget.csv'));
  await page.getByRole('button', { name: 'Undo' }).click();
  await row(page, 'Photos').waitFor();
  assert.ok(has('Photos/Hallasan.jpg') && has('budget.csv'));
  assert.equal(own().trash.length, 3, 'only what was deleted now came back');
  await page.close();
});

test('the trash gives back, also beside what has the name by now, and is emptied', async () => {
  const page = await stage.signedIn();
  await page.getByRole('link', { name: /^Trash/ }).click();
  await page.getByRole('heading', { name: 'Trash of My disk' }).waitFor();
  await until(async () => (await page.locator('.plain-list li').count()) === 3, 'three were deleted');
  await page.getByRole('button', { name: 'Restore: Trip 2024' }).click();
  await page.getByText('“Trip 2024” is back where it was').waitFor();
  assert.ok(has('Trip 2024/route.txt'));

  own().store('Documents/old draft.txt', { size: 1, hash: '' }, true);
  await page.getByRole('button', { name: 'Restore: old draft.txt' }).click();
  await page.getByText('is back as “old draft (2).txt”').waitFor();
  assert.ok(has('Documents/old draft (2).txt') && has('Documents/old draft.txt'));

  await page.getByRole('button', { name: 'Empty the trash' }).click();
  await page.locator('dialog[open]').getByRole('button', { name: 'Empty the trash' }).click();
  await page.getByText('The trash is empty.').waitFor();
  assert.equal(own().trash.length, 0);
  await page.close();
});

test('a former version is fetched, brought back, and that is taken back', async () => {
  const page = await stage.signedIn();
  await page.getByRole('button', { name: 'Actions for notes.txt' }).click();
  await page.getByRole('menuitem', { name: 'Versions' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByText('Current').waitFor();
  assert.equal(await dialog.getByRole('button', { name: /^Bring back/ }).count(), 2);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog
      .getByRole('button', { name: /^Download/ })
      .nth(2)
      .click(),
  ]);
  assert.equal(download.suggestedFilename(), 'notes.txt');
  assert.equal(readFileSync(await download.path(), 'utf8'), 'Minutes\n');
  const now = own().nodes.get('notes.txt')?.content?.toString();
  await dialog
    .getByRole('button', { name: /^Bring back/ })
    .last()
    .click();
  await until(() => own().nodes.get('notes.txt')?.content?.toString() === 'Minutes\n', 'it is what it was');
  await page.getByRole('button', { name: 'Undo' }).click();
  await until(() => own().nodes.get('notes.txt')?.content?.toString() === now, 'and again what it is');
  await page.close();
});

test('several are fetched as one', async () => {
  const page = await stage.signedIn();
  await pick(page, 'budget.csv');
  await pick(page, 'Documents', ['Control']);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click(),
  ]);
  const zip = readFileSync(await download.path(), 'latin1');
  assert.ok(zip.startsWith('PK\x03\x04'));
  assert.ok(zip.includes('budget.csv') && zip.includes('Documents/Handbook.txt'));
  assert.ok(!zip.includes('interview'), 'only what was chosen');
  await page.close();
});

test('a name is found wherever it is', async () => {
  // More than are looked at at a time.
  for (let number = 0; number < 350; number++)
    own().store(`Invoices/i ${number}`, { size: 1, hash: '' }, true);
  const page = await stage.signedIn();
  const field = page.getByLabel('Find in this folder');
  await field.fill('hallasan');
  await page.getByText('Nothing here has “hallasan” in its name.').waitFor();
  await page.getByRole('button', { name: 'Search all of My disk' }).click();
  await page.getByRole('status').filter({ hasText: '1 match' }).waitFor();
  await page.getByRole('button', { name: 'Hallasan.jpg', exact: true }).click();
  await page.locator('dialog.preview img.there').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Photos' }).click();
  await row(page, 'Hallasan.jpg').waitFor();

  await go(page, `#/search/own/${encodeURIComponent('제주')}`);
  await page.getByRole('button', { name: '2026 제주', exact: true }).click();
  await row(page, 'list.txt').waitFor();
  await page.close();
});

test('a disk is gone through as it was, and what was there is fetched and brought back', async () => {
  // By the calendar of whoever runs this, the example lies in the past or in what is to come.
  own().moments = own().moments.map(({ was }, index) => ({
    was,
    time: Date.now() - (2 - index) * 3 * 86_400_000,
  }));
  const page = await stage.signedIn();
  await row(page, 'notes.txt').waitFor();
  await page.getByRole('button', { name: 'As it was' }).click();
  await page.getByText(/^As it was on /).waitFor();
  await row(page, 'Quarterly report.pdf').waitFor();
  await page.getByRole('button', { name: 'A day ago' }).click();
  await row(page, 'Quarterly report.pdf').waitFor();
  const when = new Date(Date.now() - 4 * 86_400_000).toISOString().slice(0, 16);
  await page.getByLabel('Moment').fill(when);
  await page.getByLabel('Moment').press('Enter');
  await row(page, 'Draft of the book').waitFor();
  assert.equal(await row(page, 'Quarterly report.pdf').count(), 0);

  // Nothing in it can be changed.
  await pick(page, 'budget.csv');
  await page.keyboard.press('Delete');
  await page.keyboard.press('F2');
  assert.equal(await page.locator('input.rename').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Upload' }).count(), 0);

  await row(page, 'notes.txt').getByRole('button', { name: 'notes.txt', exact: true }).click();
  await until(
    async () => (await page.locator('dialog.preview pre').textContent()) === 'Minutes\n',
    'it says what it said',
  );
  await page.keyboard.press('Escape');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    row(page, 'notes.txt')
      .click({ button: 'right', position: { x: 500, y: 20 } })
      .then(() => page.getByRole('menuitem', { name: 'Download' }).click()),
  ]);
  assert.equal(readFileSync(await download.path(), 'utf8'), 'Minutes\n');

  // A folder deep in it, by keyboard; then all of it comes back.
  await row(page, 'Draft of the book').getByRole('link').click();
  await row(page, 'chapter 1.txt').waitFor();
  await page.locator('[data-index="0"]').focus();
  await page.keyboard.press('Backspace');
  await pick(page, 'Draft of the book');
  await pick(page, 'notes.txt', ['Control']);
  await page.getByRole('toolbar').getByRole('button', { name: 'Bring back' }).click();
  await page.getByText('2 items are back').waitFor();
  assert.equal(own().nodes.get('Draft of the book/chapter 1.txt')?.content?.toString(), 'Once upon a time\n');
  assert.equal(own().nodes.get('notes (2).txt')?.content?.toString(), 'Minutes\n');
  await page.getByRole('link', { name: 'Back to now' }).click();
  await row(page, 'notes (2).txt').waitFor();
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
  await until(() => !has('notes (2).txt') && !has('Draft of the book'), 'it is taken back');

  await go(page, '#/past/own/2020-01-01T00%3A00%3A00Z');
  await page.getByText('How it was then is not kept any more.').waitFor();
  await page.close();
});
