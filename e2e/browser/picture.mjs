// node e2e/browser/picture.mjs [FILE]
//
// Takes the picture of the README from a running demo. A disk with nothing on it is a poor picture: some files are put
// on it first, unless there are some.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { go, run, signIn, withPage } from './browser.mjs';

const file = process.argv[2] ?? new URL('../../docs/images/page.png', import.meta.url).pathname;

const MIB = 1 << 20;
const OWN = [
  ['Documents/Handbook.pdf', 3.1 * MIB],
  ['Photos/Harbour.jpg', 4.4 * MIB],
  ['Invoices/2026-11.pdf', 0.3 * MIB],
  ['Quarterly report.pdf', 2.4 * MIB],
  ['회의록 11월.docx', 0.2 * MIB],
  ['Budget 2027.csv', 0.05 * MIB],
  ['Backup November.tar.gz', 420 * MIB],
  ['Harbour at dawn.jpg', 6.5 * MIB],
  ['Interview.mp3', 38 * MIB],
];
const SHARED = [
  ['Drafts/Poster v1.png', 12 * MIB],
  ['Poster final.png', 210 * MIB],
  ['Logo.svg', 0.02 * MIB],
];

run(async () => {
  const stage = mkdtempSync(join(tmpdir(), 'internet-disk-picture-'));
  const options = { viewport: { width: 1180, height: 700 }, deviceScaleFactor: 1.5, colorScheme: 'light' };
  try {
    await withPage((page) => take(page, stage), options);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  process.stdout.write(`${file}\n`);
});

async function take(page, stage) {
  await signIn(page);
  await fill(page, stage, 'own', OWN);
  const group = await page.locator('nav .disk-link').nth(1).getAttribute('href').catch(() => null);
  if (group) {
    await go(page, group);
    await fill(page, stage, 'shared', SHARED);
  }
  await go(page, '#/files/own');
  await page.locator('.files').waitFor();
  await page.reload();
  await page.locator('.files').waitFor();
  for (const meter of await page.locator('nav small', { hasText: / of / }).all()) await meter.waitFor();
  await page.mouse.move(900, 690);
  mkdirSync(dirname(file), { recursive: true });
  await page.screenshot({ path: file });
}

/** Puts files into the disk that is open, if there is nothing on it. */
async function fill(page, stage, name, wanted) {
  await page.locator('.files, .empty').first().waitFor();
  if (await page.locator('.files').isVisible()) return;
  const folders = new Map();
  for (const [path, size] of wanted) {
    const target = join(stage, name, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, randomBytes(Math.round(size)));
    const top = path.includes('/') ? path.split('/')[0] : '';
    folders.set(top, [...(folders.get(top) ?? []), target]);
  }
  for (const [folder, files] of folders) {
    if (folder) await page.locator('input[data-upload=folder]').setInputFiles(join(stage, name, folder));
    else await page.locator('input[data-upload=files]').setInputFiles(files);
  }
  await page.locator('.queue strong', { hasText: /uploaded$/ }).waitFor({ timeout: 120_000 });
}
