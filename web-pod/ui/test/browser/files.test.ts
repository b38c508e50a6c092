// The screen of files, as one uses it: by mouse, by keyboard, with very many entries.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { crowd, furnish } from '../fake/example.ts';
import { longestTask, Stage, until } from './stage.ts';

const stage = new Stage();
const own = () => stage.fake.own();
const MANY = 100_000;

before(() => stage.start());
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(stage.strangers, [], 'nobody else is asked for anything');
});
beforeEach(() => {
  own().nodes.clear();
  own().done.clear();
  own().trash = [];
  stage.fake.groups.clear();
  furnish(stage.fake);
});

const row = (page: Page, name: string) =>
  page.locator('.row', { has: page.getByText(name, { exact: true }) });
const selected = (page: Page) =>
  page.locator('.row[aria-selected=true] .entry-name > span').allTextContents();
/** Beside the name, where a click selects. */
const pick = (page: Page, name: string, held: ('Shift' | 'Control')[] = []) =>
  row(page, name).locator('.modified').click({ modifiers: held });
const focused = (page: Page) =>
  page.locator('[data-index]:focus .entry-name > span').textContent({ timeout: 500 });

async function drag(from: Locator, to: Locator): Promise<void> {
  await from.dragTo(to, { sourcePosition: { x: 500, y: 20 } });
}

test('entries are selected by mouse and by keyboard', async () => {
  const page = await stage.signedIn();
  await pick(page, 'budget.csv');
  await pick(page, 'interview.wav', ['Shift']);
  assert.deepEqual(await selected(page), ['budget.csv', 'harbour at dawn.jpg', 'interview.wav']);
  await pick(page, 'harbour at dawn.jpg', ['Control']);
  assert.deepEqual(await selected(page), ['budget.csv', 'interview.wav']);
  await page.getByRole('toolbar', { name: '2 selected' }).waitFor();
  await page.keyboard.press('Escape');
  assert.deepEqual(await selected(page), []);

  await page.keyboard.press('Home');
  assert.deepEqual(await selected(page), ['Documents']);
  await page.keyboard.press('Shift+ArrowDown');
  assert.deepEqual(await selected(page), ['Documents', 'Invoices']);
  await page.keyboard.press('Control+a');
  assert.equal((await selected(page)).length, await page.locator('.row').count());
  await page.keyboard.type('har');
  assert.deepEqual(await selected(page), ['harbour at dawn.jpg']);
  assert.equal(await focused(page), 'harbour at dawn.jpg');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(page), 'interview.wav');

  // Into a folder, and out of it again, without a mouse.
  await page.keyboard.type('photos');
  await page.keyboard.press('Enter');
  await row(page, 'Hallasan.jpg').waitFor();
  await page.locator('[data-index="0"]').focus();
  await page.keyboard.press('Backspace');
  await row(page, 'notes.txt').waitFor();
  await page.close();
});

test('a name is written where it stands, and can be taken back', async () => {
  const page = await stage.signedIn();
  await pick(page, 'notes.txt');
  await page.keyboard.press('F2');
  const field = page.getByLabel('New name');
  assert.equal(
    await field.evaluate((input: HTMLInputElement) => input.value.slice(0, input.selectionEnd ?? 0)),
    'notes',
  );
  await field.fill('minutes.txt');
  await field.press('Enter');
  await row(page, 'minutes.txt').waitFor();
  assert.ok(own().nodes.has('minutes.txt'));
  assert.equal(await focused(page), 'minutes.txt');

  // A name that is taken is told, and what was typed is still there.
  await page.keyboard.press('F2');
  await field.fill('budget.csv');
  await field.press('Enter');
  await page.locator('.toast.bad').waitFor();
  assert.equal(await field.inputValue(), 'budget.csv');
  await field.press('Escape');
  await field.waitFor({ state: 'detached' });
  await until(async () => (await focused(page)) === 'minutes.txt', 'the keyboard is back in the list');
  assert.ok(own().nodes.has('minutes.txt'));

  await page.keyboard.press('Control+z');
  await row(page, 'notes.txt').waitFor();
  assert.ok(own().nodes.has('notes.txt'));
  await page.close();
});

test('entries are dragged onto folders and onto the way back up', async () => {
  const page = await stage.signedIn();
  await pick(page, 'budget.csv');
  await pick(page, 'notes.txt', ['Control']);
  await drag(row(page, 'notes.txt'), row(page, 'Documents'));
  await row(page, 'notes.txt').waitFor({ state: 'detached' });
  assert.ok(own().nodes.has('Documents/notes.txt') && own().nodes.has('Documents/budget.csv'));

  await row(page, 'Documents').getByRole('link').click();
  await drag(row(page, 'notes.txt'), page.locator('.crumbs').getByRole('link', { name: 'My disk' }));
  await row(page, 'notes.txt').waitFor({ state: 'detached' });
  assert.ok(own().nodes.has('notes.txt'));
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await row(page, 'notes.txt').waitFor();
  assert.ok(own().nodes.has('Documents/notes.txt'));

  // A folder does not go into itself, nor a file where it is.
  await drag(row(page, 'Contracts'), row(page, 'Contracts'));
  await pick(page, 'notes.txt');
  await page.keyboard.press('Control+x');
  await row(page, 'Contracts').getByRole('link').click();
  await page.getByText('Nothing here yet').waitFor();
  await page.locator('.page').click({ button: 'right', position: { x: 400, y: 500 } });
  await page.getByRole('menuitem', { name: 'Paste' }).click();
  await row(page, 'notes.txt').waitFor();
  assert.ok(own().nodes.has('Documents/Contracts/notes.txt'));
  assert.ok(!own().nodes.has('Documents/notes.txt'));
  await page.close();
});

test('files from outside land where they are dropped', async () => {
  const page = await stage.signedIn();
  await row(page, 'Documents').waitFor();
  const drop = async (on: Locator, name: string) => {
    const dataTransfer = await page.evaluateHandle((called) => {
      const data = new DataTransfer();
      data.items.add(new File(['dropped'], called));
      return data;
    }, name);
    await on.dispatchEvent('dragenter', { dataTransfer });
    await on.dispatchEvent('dragover', { dataTransfer });
    return async () => on.dispatchEvent('drop', { dataTransfer });
  };
  const intoFolder = await drop(row(page, 'Documents'), 'into.txt');
  await page.locator('.row.lands').waitFor();
  assert.equal(await page.locator('.drop-veil').count(), 0);
  await intoFolder();
  await until(() => own().nodes.has('Documents/into.txt'), 'it is in the folder');
  const here = await drop(row(page, 'notes.txt'), 'here.txt');
  await page.locator('.drop-veil', { hasText: 'My disk' }).waitFor();
  await here();
  await page.locator('.drop-veil').waitFor({ state: 'detached' });
  await row(page, 'here.txt').waitFor();
  assert.ok(own().nodes.has('here.txt'));
  await page.close();
});

test('what others change shows by itself', async (context) => {
  const page = await stage.signedIn();
  await row(page, 'notes.txt').waitFor();
  await page.keyboard.press('Home');
  const began = Date.now();
  own().store('from bob.txt', { size: 3, hash: '' }, true);
  await row(page, 'from bob.txt').waitFor();
  context.diagnostic(`after ${Date.now() - began} ms`);
  own().operate({ op: 'delete', path: 'from bob.txt' });
  await row(page, 'from bob.txt').waitFor({ state: 'detached' });
  await page.close();
});

test('what Finder puts beside the files of a mounted disk is not shown', async () => {
  for (const name of ['.DS_Store', '._notes.txt', '.profile']) own().store(name, { size: 3, hash: '' }, true);
  const page = await stage.signedIn();
  await row(page, '.profile').waitFor();
  const names = await page.locator('.row .entry-name > span').allTextContents();
  assert.deepEqual(
    names.filter((name) => name.startsWith('.')),
    ['.profile'],
  );
  await page.close();
});

test('the menu of an entry is that of all that are selected', async () => {
  const page = await stage.signedIn();
  await pick(page, 'budget.csv');
  await pick(page, 'notes.txt', ['Control']);
  await row(page, 'budget.csv').click({ button: 'right', position: { x: 600, y: 20 } });
  const items = page.getByRole('menuitem');
  await items.first().waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'Rename' }).count(), 0);
  await page.keyboard.press('Escape');
  await items.first().waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'budget.csv');
  // Another entry is selected by the click that opens its menu; with one, there is a name to change.
  await row(page, 'interview.wav').click({ button: 'right', position: { x: 600, y: 20 } });
  await page.getByRole('menuitem', { name: 'Rename' }).waitFor();
  assert.deepEqual(await selected(page), ['interview.wav']);
  await page.close();
});

test('pictures, sounds and texts are shown, and their neighbours by the arrows', async () => {
  const page = await stage.signedIn();
  await row(page, 'harbour at dawn.jpg')
    .getByRole('button', { name: 'harbour at dawn.jpg', exact: true })
    .click();
  const dialog = page.locator('dialog.preview');
  await until(
    () => dialog.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth === 900),
    'the picture is there',
  );
  await page.keyboard.press('ArrowRight');
  await until(
    () => dialog.locator('audio').evaluate((audio: HTMLAudioElement) => audio.duration > 0.9),
    'the sound is there',
  );
  await dialog.getByRole('button', { name: 'Next' }).click();
  await dialog.getByText('Dora asks for the poster').waitFor();
  await page.keyboard.press('Escape');
  await dialog.locator('h2').waitFor({ state: 'detached' });
  assert.deepEqual(await selected(page), ['notes.txt']);

  await page.getByLabel('As tiles').click();
  await page.locator('.tile-picture img').waitFor();
  await page.close();
});

test('a hundred thousand entries scroll, sort and filter without a stutter', async (context) => {
  crowd(own(), 'Scans', MANY);
  const page = await stage.signedIn({}, '#/files/own/Scans');
  await page.locator('.count', { hasText: '100,000 items' }).waitFor();
  const longest = await longestTask(page, async () => {
    for (const top of [2_000_000, 4_000_000, 9_999_999, 0]) {
      await page.evaluate((to) => scrollTo(0, to), top);
      await page.locator('.row').nth(20).waitFor();
    }
    for (let turn = 0; turn < 20; turn++) await page.mouse.wheel(0, 700);
    await page.locator('.row').first().locator('.modified').click();
    await page.keyboard.press('Control+a');
    await page.getByRole('toolbar', { name: '100,000 selected' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sort by Size' }).click();
    await page.locator('.row .size', { hasText: '19.5 KiB' }).first().waitFor();
    await page.getByLabel('Find in this folder').fill('scan 77777 of');
    await page.locator('.count', { hasText: /^1 item$/ }).waitFor();
    await page.getByLabel('Find in this folder').fill('');
    await page.locator('.count', { hasText: '100,000 items' }).waitFor();
    await page.locator('.row').first().locator('.size').click();
    await page.keyboard.press('End');
    await until(
      () => page.evaluate(() => document.activeElement?.getAttribute('data-index') === '99999'),
      'the end',
    );
  });
  const drawn = await page.locator('.row').count();
  context.diagnostic(`longest task ${longest} ms of CPU, ${drawn} rows drawn`);
  assert.ok(drawn < 80, `${drawn} rows are drawn`);
  assert.ok(longest < 100, `a task took ${longest} ms`);
  await page.close();
});
