// node e2e/browser/story.mjs FOLDER DESTINATION
//
// Opens the shipped page, signs in, and puts every file under FOLDER below DESTINATION, as a person does who chooses a
// folder: real files in a real browser, through the page's own transfer module. What that says of itself comes out
// line by line as JSON: progress, moved, waiting, failed, conflict, done. Ends with 0 when every file is up.
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { go, run, signIn, withPage } from './browser.mjs';

const [folder, destination] = process.argv.slice(2);

/** Every file of `from` under another directory as well, without a copy; returns how many there are. */
function linkAll(from, to) {
  let count = 0;
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) count += linkAll(source, target);
    if (!entry.isFile()) continue;
    linkSync(source, target);
    count++;
  }
  return count;
}

run(async () => {
  if (!folder || !destination) throw new Error('usage: node e2e/browser/story.mjs FOLDER DESTINATION');
  // What a browser calls a folder's files begins with the name of the folder, and it follows no symbolic link: the
  // files are chosen in a folder that has the name it shall have.
  const stage = mkdtempSync(join(dirname(resolve(folder)), 'internet-disk-story-'));
  try {
    const named = join(stage, basename(destination));
    const expected = linkAll(resolve(folder), named);
    if (expected === 0) throw new Error(`there is no file under ${folder}`);
    await withPage((page) => tell(page, named, expected));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
});

async function tell(page, named, expected) {
  let settle;
  const settled = new Promise((done, failed) => {
    settle = { done, failed };
  });
  let up = 0;
  await page.exposeFunction('told', (detail) => {
    process.stdout.write(`${JSON.stringify(detail)}\n`);
    if (detail.event === 'failed' || detail.event === 'conflict') settle.failed(new Error(`${detail.path}: ${detail.code}`));
    if (detail.event === 'done' && ++up === expected) settle.done();
  });
  await page.addInitScript(() => {
    addEventListener('internet-disk:transfer', ({ detail }) => globalThis.told(detail));
  });
  page.on('crash', () => settle.failed(new Error('the page crashed')));
  page.on('pageerror', (error) => settle.failed(error));
  await signIn(page);
  const parent = dirname(destination);
  await go(page, `#/files/own${parent === '.' ? '' : `/${parent.split('/').map(encodeURIComponent).join('/')}`}`);
  await page.locator('input[data-upload=folder]').setInputFiles(named);
  await settled;
}
