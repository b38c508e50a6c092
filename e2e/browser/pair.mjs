// node e2e/browser/pair.mjs GROUP
//
// Two members in two browsers, one English and one Korean, look at the folder of a group. What one does the other sees
// without a move: a file that comes, its new name, its end. Says after how long, and ends with 0 when all of it was seen.
// It reads SECOND_MEMBER and SECOND_PASSWORD besides what browser.mjs reads.
import { go, run, signIn, withPage } from './browser.mjs';

const [group] = process.argv.slice(2);

run(async () => {
  if (!group) throw new Error('usage: node e2e/browser/pair.mjs GROUP');
  const second = { member: process.env.SECOND_MEMBER, password: process.env.SECOND_PASSWORD };
  await withPage(async (here) => {
    await withPage(
      async (there) => {
        await signIn(here);
        await signIn(there, second);
        await both(here, there);
      },
      { locale: 'ko-KR' },
    );
  });
});

async function both(here, there) {
  for (const page of [here, there]) {
    await go(page, `#/shared/${encodeURIComponent(group)}`);
    await page.locator('.files, .empty').first().waitFor();
  }
  const entry = (page, name) => page.locator('.row', { has: page.getByText(name, { exact: true }) });
  /** How long it takes until the other sees what has been done here. */
  const seen = async (what, theirs, state = 'visible') => {
    const began = performance.now();
    await theirs.waitFor({ state });
    process.stdout.write(`${what} is seen after ${Math.round(performance.now() - began)} ms\n`);
  };
  const buffer = Buffer.from('a plan');
  await here.locator('input[data-upload=files]').setInputFiles({ name: 'plan.txt', mimeType: '', buffer });
  await here.locator('.line.done').waitFor();
  await seen('a file that was uploaded', entry(there, 'plan.txt'));

  await entry(there, 'plan.txt').locator('.modified').click();
  await there.keyboard.press('F2');
  await there.locator('input.rename').fill('계획.txt');
  await there.locator('input.rename').press('Enter');
  await entry(there, '계획.txt').waitFor();
  await seen('a new name', entry(here, '계획.txt'));

  await entry(here, '계획.txt').locator('.modified').click();
  await here.keyboard.press('Delete');
  // The note that tells of it comes when the server has said so.
  await here.locator('.toast', { hasText: '계획.txt' }).last().waitFor();
  await seen('that it is deleted', entry(there, '계획.txt'), 'detached');
}
