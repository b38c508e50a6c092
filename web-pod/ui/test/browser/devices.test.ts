// App passwords, and how a disk is mounted.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { furnish } from '../fake/example.ts';
import { Stage, until } from './stage.ts';

const stage = new Stage();

before(async () => {
  furnish(stage.fake);
  await stage.start();
});
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(stage.strangers, []);
});

test('an app password is made, shown once, and revoked', async () => {
  const { fake } = stage;
  fake.passwords = [];
  const page = await stage.signedIn({ permissions: ['clipboard-read', 'clipboard-write'] }, '#/devices');
  await page.getByText('There is none yet.').waitFor();
  await page.getByRole('button', { name: 'New app password' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('What it is for').fill('Laptop');
  await dialog.locator('select').selectOption({ label: 'Design team' });
  await dialog.getByLabel('Only reading').check();
  await dialog.getByRole('button', { name: 'Make the password' }).click();
  const shown = await dialog.getByLabel('App password', { exact: true }).inputValue();
  assert.match(shown, /^idisk-/);
  await dialog.getByRole('button', { name: /^Copy/ }).click();
  await until(
    async () => (await page.evaluate(() => navigator.clipboard.readText())) === shown,
    'it is copied',
  );
  const [made] = fake.passwords;
  assert.deepEqual([made?.name, made?.access, made?.space], ['Laptop', 'Read', 'group-design']);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Design team · Only reading').waitFor();
  await page.getByText('not used yet').waitFor();
  assert.equal(await page.getByText(shown).count(), 0, 'it is nowhere any more');

  fake.mostPasswords = 1;
  await page.reload();
  await page.getByText('1 of 1').waitFor();
  assert.ok(await page.getByRole('button', { name: 'New app password' }).isDisabled());
  fake.mostPasswords = 20;
  await page.getByRole('button', { name: 'Revoke: Laptop' }).click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('There is none yet.').waitFor();
  assert.deepEqual(fake.passwords, []);
  await page.close();
});

test('the address to mount is that of the disk that is chosen', async () => {
  const page = await stage.signedIn({ locale: 'ko-KR' }, '#/devices');
  await page.getByRole('button', { name: 'Windows' }).click();
  const address = page.getByLabel('주소', { exact: true });
  const origins = stage.fake.pods.map(({ url }) => url);
  const own = await address.inputValue();
  assert.ok(
    origins.some((origin) => own === `${origin}/dav/home/`),
    own,
  );
  await page.locator('.mount select').selectOption({ label: 'Design team' });
  await until(async () => (await address.inputValue()).endsWith('/dav/groups/design/'), 'that of the group');
  await page.getByRole('button', { name: 'Linux' }).click();
  const rclone = await page.getByRole('textbox', { name: 'rclone에서는' }).inputValue();
  assert.match(rclone, /user=alice/);
  await page.close();
});
