// node e2e/browser/walk.mjs
//
// Walks through the page as a member does, in both languages: signs in, makes a folder, uploads, downloads what was
// uploaded, renames, shares by a link that somebody else opens and that is taken back, deletes, brings back from the trash
// and from how it was, deletes for good, makes a password for a program and revokes it, joins a group and leaves it, signs out. Every step is found by
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
    share: 'Share by link',
    makeLink: 'Make the link',
    address: 'Address of the link',
    finished: 'Done',
    takeLinkBack: 'Take back',
    gone: 'This link leads nowhere',
    newPassword: 'New app password',
    passwordFor: 'What it is for',
    makePassword: 'Make the password',
    appPassword: 'App password',
    revoke: 'Revoke',
    bringBack: 'Bring back',
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
    share: '링크로 공유',
    makeLink: '링크 만들기',
    address: '링크 주소',
    finished: '완료',
    takeLinkBack: '회수',
    gone: '열 수 없는 링크입니다',
    newPassword: '새 앱 비밀번호',
    passwordFor: '용도',
    makePassword: '비밀번호 만들기',
    appPassword: '앱 비밀번호',
    revoke: '회수',
    bringBack: '되돌리기',
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
      process.stdout.write(`${language}: signed in, folder, upload, download, rename, link, delete, as it was, app password, group, signed out\n`);
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
  await device(page, words);
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
  await link(page, words, folder, content);
  const before = new Date().toISOString();
  await button(words.actions(folder)).click();
  await item(words.remove).click();
  await page.getByRole('link', { name: folder }).waitFor({ state: 'detached' });

  // It is in the trash, comes back from there, and goes for good.
  const folderLink = page.getByRole('link', { name: folder, exact: true });
  // What was renamed before can still be undone, too: the offer that names the folder is meant.
  const offer = page.locator('.toast', { hasText: `“${folder}”` });
  await offer.getByRole('button', { name: words.undo, exact: true }).click();
  await folderLink.waitFor();
  await button(words.actions(folder)).click();
  await item(words.remove).click();
  await folderLink.waitFor({ state: 'detached' });

  // As it was before, it is there, and comes back from there; then all that is in the trash goes.
  await go(page, `#/past/own/${encodeURIComponent(before)}`);
  await button(words.actions(folder)).click();
  await item(words.bringBack).click();
  await go(page, '#/files/own');
  await folderLink.click();
  await entry('renamed.bin').waitFor();
  await page.getByRole('navigation').getByRole('link', { name: words.myDisk, exact: true }).click();
  await button(words.actions(folder)).click();
  await item(words.remove).click();
  await folderLink.waitFor({ state: 'detached' });
  await go(page, '#/trash/own');
  await button(`${words.purge}: ${folder}`).first().click();
  await dialog.getByRole('button', { name: words.purge, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** Shares a folder by a link, which somebody opens whom nobody knows, and takes it back. */
async function link(page, words, folder, content) {
  const dialog = page.locator('dialog[open]');
  await page.getByRole('button', { name: words.actions(folder), exact: true }).click();
  await page.getByRole('menuitem', { name: words.share, exact: true }).click();
  await dialog.getByRole('button', { name: words.makeLink, exact: true }).click();
  const address = await dialog.getByRole('textbox', { name: words.address, exact: true }).inputValue();
  await dialog.getByRole('button', { name: words.finished, exact: true }).click();
  // A browser of its own: whoever visits has no cookie of the member's.
  await withPage(async (visitor) => {
    await visitor.goto(address);
    const file = visitor.locator('.files .entry', { hasText: 'renamed.bin' });
    await file.waitFor();
    const [download] = await Promise.all([visitor.waitForEvent('download'), file.click()]);
    check(sha256(readFileSync(await download.path())) === sha256(content), 'a visitor fetches what was shared');
    await go(page, '#/links/own');
    await page.getByRole('button', { name: `${words.takeLinkBack}: ${folder}`, exact: true }).click();
    await dialog.getByRole('button', { name: words.takeLinkBack, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await visitor.reload();
    await visitor.getByRole('heading', { name: words.gone }).waitFor();
  }, { locale: words.locale });
  await go(page, '#/files/own');
}

/** Makes a password for a program, which is shown once, and revokes it. */
async function device(page, words) {
  const dialog = page.locator('dialog[open]');
  const name = `walk-${randomBytes(4).toString('hex')}`;
  await go(page, '#/devices');
  await page.getByRole('button', { name: words.newPassword, exact: true }).click();
  await dialog.getByLabel(words.passwordFor).fill(name);
  await dialog.getByRole('button', { name: words.makePassword, exact: true }).click();
  const password = await dialog.getByRole('textbox', { name: words.appPassword, exact: true }).inputValue();
  check(password.startsWith('idisk-'), 'an app password is told');
  await dialog.getByRole('button', { name: words.finished, exact: true }).click();
  await page.getByRole('button', { name: `${words.revoke}: ${name}`, exact: true }).click();
  await dialog.getByRole('button', { name: words.revoke, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(name, { exact: true }).waitFor({ state: 'detached' });
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
