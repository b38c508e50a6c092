// The ways to sign in: by a password, and by providers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { furnish } from '../fake/example.ts';
import { go, Stage } from './stage.ts';

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

test('one signs in by a provider, and is where one wanted to be', async () => {
  stage.fake.ways = { passwords: true, providers: [{ name: 'corp', displayName: 'The company' }] };
  const page = await stage.page();
  await page.getByRole('link', { name: 'Sign in by The company' }).waitFor();
  assert.ok(await page.getByLabel('Member name').isVisible(), 'a password does as well');
  stage.fake.ways = { ...stage.fake.ways, passwords: false };
  await page.reload();
  await page.getByLabel('Member name').waitFor({ state: 'detached' });
  await go(page, '#/files/own/Photos');
  await page.getByRole('link', { name: 'Sign in by The company' }).click();
  await page.locator('.row', { hasText: 'Hallasan.jpg' }).waitFor();
  await page.close();
});
