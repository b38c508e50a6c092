// Chromium, driven through playwright-core, at the page of a running disk. It reads
//   WEB_URL, DEMO_MEMBER, DEMO_PASSWORD  where the page is and who signs in (as in target/demo.env)
//   CHROMIUM                             the browser (default /usr/bin/chromium)
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// It is installed with what the page is built with.
const require = createRequire(new URL('../../web-pod/ui/package.json', import.meta.url));
const { chromium } = require('playwright-core');

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Everything runs as root in places without a user namespace of one's own.
  '--no-sandbox',
];

function wanted(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see target/demo.env, which make demo writes`);
  return value;
}

/** Opens the page in a browser of its own, lets `work` have it, and leaves nothing behind. */
export async function withPage(work, options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'internet-disk-browser-'));
  let context;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      ...options,
    });
    context.setDefaultTimeout(30_000);
    const page = context.pages()[0] ?? (await context.newPage());
    return await work(page, context);
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Signs in as a person would. */
export async function signIn(page, { member = wanted('DEMO_MEMBER'), password = wanted('DEMO_PASSWORD') } = {}) {
  await page.goto(wanted('WEB_URL'));
  await page.locator('input[name=member]').fill(member);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.locator('.shell').waitFor();
}

/** Goes to a place of the page by its address. */
export async function go(page, hash) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Ends with a message in place of a stack that says nothing. */
export function run(main) {
  main().catch((error) => {
    process.stderr.write(`${error.message ?? error}\n`);
    process.exit(1);
  });
}
