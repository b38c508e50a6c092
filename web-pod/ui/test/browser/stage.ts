// The built page in Debian's Chromium, over a fake of the pods.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { Fake } from '../fake/fake.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-sync',
];

export class Stage {
  readonly fake = new Fake();
  /** What went wrong on the page, and what it asked of others than the pods. */
  readonly errors: string[] = [];
  readonly strangers: string[] = [];
  private browser: Browser | undefined;

  async start(): Promise<void> {
    await this.fake.start();
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: FLAGS,
    });
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    this.fake.stop();
  }

  /** A page that nobody has signed in to. */
  async page(options: BrowserContextOptions = {}, at = ''): Promise<Page> {
    if (!this.browser) throw new Error('the stage was not started');
    const context = await this.browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.errors.push(message.text());
    });
    const ours = new Set([this.fake.web.url, ...this.fake.pods.map(({ url }) => url)]);
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (/^https?:$/.test(protocol) && !ours.has(origin)) this.strangers.push(request.url());
    });
    await page.goto(this.fake.web.url + at);
    return page;
  }

  async signedIn(options: BrowserContextOptions = {}, hash = ''): Promise<Page> {
    const page = await this.page(options);
    if (hash) await go(page, hash);
    await page.locator('input[name=member]').fill(this.fake.me);
    await page.locator('input[name=password]').fill(this.fake.password);
    await page.locator('button[type=submit]').click();
    await page.locator('.shell').waitFor();
    return page;
  }
}

let folder: string | undefined;

/** A file for somebody to choose: handed over by its path, it need not go through the browser's wire. */
export function lay(name: string, size: number): string {
  folder ??= mkdtempSync(join(tmpdir(), 'internet-disk-page-'));
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(size, name));
  return path;
}

process.on('exit', () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Goes to a place of the page by its address. */
export async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Waits until something holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  limit = 10_000,
): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await new Promise((go) => setTimeout(go, 20));
  }
}

/** The longest task of the page's own thread, in milliseconds of its CPU: others on the machine do not count. */
export async function longestTask(page: Page, work: () => Promise<void>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const events: { name: string; tdur?: number; tid: number; pid: number; args: { name?: string } }[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as typeof events)));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'] },
  });
  await work();
  const complete = new Promise<void>((done) => session.once('Tracing.tracingComplete', () => done()));
  await session.send('Tracing.end');
  await complete;
  const pages = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const runs = events.filter(({ name, pid, tid }) => name.endsWith('RunTask') && pages.has(`${pid} ${tid}`));
  if (runs.length === 0) throw new Error('the trace tells of no task');
  return Math.round(Math.max(...runs.map(({ tdur }) => tdur ?? 0)) / 1000);
}
