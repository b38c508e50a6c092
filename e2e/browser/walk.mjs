// node e2e/browser/walk.mjs
//
// Walks through the page as a member does, in both languages: signs in, makes a folder, uploads, downloads what was
// uploaded, renames, deletes, brings back, deletes for good, joins a group and leaves it, signs out. Every step is found by
// what a screen reader says. Says what it did, and ends with 0 when all of it worked.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { go, run, signIn, withPage } from './browser.mjs';

/** What is read on the page. The page's own tables are not used: a wrong word shall show. */
const LANGUAGES = {
  en: {
    locale: 'en-GB',
    myDisk: 'My disk',
    newFolder: 'New folder',
    folderName: 'Name of the folder',
    create: 'Create',
    actions: (name) => `Actions for ${name}`,
    rename: 'Rename',
    newName: 'New name',
    remove: 'Delete',
    undo: 'Undo',
    purge: 'Delete for good',
    usage: /GiB used$/,
    give: 'How much you give',
    join: /^(Join|Ask to join): /,
    confirmJoin: /^(Join|Ask to join)$/,
    takeBack: /^(Take back|Leave the group)$/,
    leave: 'Leave the group',
    groups: 'Groups',
    signOut: 'Sign out',
    signIn: 'Sign in',
  },
  ko: {
    locale: 'ko-KR',
    myDisk: '내 디스크',
    newFolder: '새 폴더',
    folderName: '폴더 이름',
    create: '만들기',
    actions: (name) => `${name} 작업`,
    rename: '이름 바꾸기',
    newName: '새 이름',
    remove: '삭제',
    undo: '실행 취소',
    purge: '영구 삭제',
    usage: /GiB 중 .+ 사용$/,
    give: '제공할 용량',
    join: /^(참여|참여 신청): /,
    confirmJoin: /^(참여|참여 신청)$/,
    takeBack: /^(회수|그룹 나가기)$/,
    leave: '그룹 나가기',
    groups: '그룹',
    signOut: '로그아웃',
    signIn: '로그인',
  },
};

const stage = mkdtempSync(join(tmpdir(), 'internet-disk-walk-'));
const sha256 = (content) => createHash('sha256').update(content).digest('hex');

function check(holds, what) {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

run(async () => {
  try {
    for (const [language, words] of Object.entries(LANGUAGES)) {
      await withPage((page) => walk(page, language, words), { locale: words.locale });
      process.stdout.write(`${language}: signed in, folder, upload, download, rename, delete, group, signed out\n`);
    }
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
});

async function walk(page, language, words) {
  page.on('pageerror', (error) => {
    throw error;
  });
  await signIn(page);
  const spoken = await page.evaluate(() => document.documentElement.lang);
  check(spoken === language, `the page speaks ${language}`);
  await page.getByText(words.usage).first().waitFor();
  await files(page, language, words);
  await group(page, words);
  await page.getByRole('button', { name: words.signOut }).click();
  await page.getByRole('button', { name: words.signIn, exact: true }).waitFor();
}

async function files(page, language, words) {
  const button = (name) => page.getByRole('button', { name, exact: true });
  const item = (name) => page.getByRole('menuitem', { name, exact: true });
  const dialog = page.locator('dialog[open]');
  const folder = `walk-${language}-${randomBytes(4).toString('hex')}`;
  await button(words.newFolder).click();
  await dialog.getByLabel(words.folderName).fill(folder);
  await dialog.getByRole('button', { name: words.create, exact: true }).click();
  await page.getByRole('link', { name: folder }).click();
  await page.getByRole('navigation').getByText(folder).waitFor();

  const name = '휴가 100%#1.bin';
  const content = randomBytes(6 << 20);
  writeFileSync(join(stage, name), content);
  writeFileSync(join(stage, 'empty'), '');
  await page.locator('input[data-upload=files]').setInputFiles([join(stage, name), join(stage, 'empty')]);
  await page.locator('.line.done').nth(1).waitFor();
  const entry = (called) => page.locator('.files .entry', { hasText: called });
  const row = entry(name);
  await row.waitFor();
  await entry('empty').waitFor();

  const [download] = await Promise.all([page.waitForEvent('download'), row.click()]);
  check(download.suggestedFilename() === name, `the download is called ${name}`);
  const got = readFileSync(await download.path());
  check(sha256(got) === sha256(content), 'what comes down is what went up');

  await button(words.actions(name)).click();
  await item(words.rename).click();
  await page.getByLabel(words.newName).fill('renamed.bin');
  await page.keyboard.press('Enter');
  await entry('renamed.bin').waitFor();

  await page.getByRole('navigation').getByRole('link', { name: words.myDisk, exact: true }).click();
  await button(words.actions(folder)).click();
  await item(words.remove).click();
  await page.getByRole('link', { name: folder }).waitFor({ state: 'detached' });

  // It is in the trash, comes back from there, and goes for good.
  const link = page.getByRole('link', { name: folder, exact: true });
  // What was renamed before can still be undone, too: the offer that names the folder is meant.
  const offer = page.locator('.toast', { hasText: `“${folder}”` });
  await offer.getByRole('button', { name: words.undo, exact: true }).click();
  await link.waitFor();
  await button(words.actions(folder)).click();
  await item(words.remove).click();
  await link.waitFor({ state: 'detached' });
  await go(page, '#/trash/own');
  await button(`${words.purge}: ${folder}`).click();
  await dialog.getByRole('button', { name: words.purge, exact: true }).click();
  await button(`${words.purge}: ${folder}`).waitFor({ state: 'detached' });
}

/** Joins a group, or asks to, and takes it back. */
async function group(page, words) {
  await go(page, '#/groups');
  await page.getByRole('heading', { name: words.groups, level: 1 }).waitFor();
  const offers = page.getByRole('button', { name: words.join });
  await offers.first().waitFor();
  // The group of the examples, if it is there: others may be those of other tests.
  const example = offers.and(page.getByRole('button', { name: /: Design team$/ }));
  const offer = (await example.count()) > 0 ? example : offers.first();
  const title = (await offer.getAttribute('aria-label')).replace(words.join, '');
  await offer.click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByRole('spinbutton', { name: words.give }).waitFor();
  await dialog.getByRole('button', { name: words.confirmJoin }).click();
  await dialog.waitFor({ state: 'detached' });
  // One that is open takes one in; another waits for an owner.
  const joined = page.locator('nav .disk-link', { hasText: title });
  const asked = page.getByRole('button', { name: words.takeBack });
  await joined.or(asked).first().waitFor();
  if (await joined.isVisible()) {
    await joined.click();
    await page.locator('.fellows').click();
  }
  await asked.first().click();
  await dialog.getByRole('button', { name: words.leave, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await go(page, '#/groups');
  await page.getByRole('button', { name: words.join }).first().waitFor();
}
