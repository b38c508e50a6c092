// Every screen of the page and how one comes to it, whatever its language: what is looked at for what keeps somebody
// out, and what pictures are taken of.

import type { Page } from 'playwright-core';
import { NOW } from '../fake/example.ts';
import type { Fake } from '../fake/fake.ts';
import { go, lay } from './stage.ts';

export interface Screen {
  readonly name: string;
  /** Whether it is pictured; the others are looked at only for what keeps somebody out. */
  readonly picture: boolean;
  readonly show: (page: Page, fake: Fake) => Promise<void>;
}

const row = (page: Page, name: string) =>
  page.locator('[data-index]', { has: page.getByText(name, { exact: true }) });

async function files(page: Page, hash = '#/files/own', view: 'list' | 'grid' = 'list'): Promise<void> {
  await go(page, hash);
  await page.locator('.files, .empty').first().waitFor();
  const button = page.locator('.views button').nth(view === 'list' ? 0 : 1);
  if ((await button.getAttribute('aria-pressed')) !== 'true') await button.click();
  await page
    .locator(`.files.${view === 'list' ? 'list' : 'tiles'}, .empty`)
    .first()
    .waitFor();
}

async function menuOf(page: Page, name: string, item: string): Promise<void> {
  await row(page, name).locator('.icon-button').click();
  await page.locator(`[role=menuitem]:has(.icon-${item})`).click();
}

/** Uploads: one that is done, one whose name is taken, one under way, one for which there is no room. */
async function queue(page: Page, fake: Fake): Promise<void> {
  await files(page);
  const { limit } = fake.own();
  fake.own().limit = fake.own().used + 14 * 2 ** 20;
  for (const pod of fake.pods) pod.speed = 300_000;
  await page
    .locator('input[data-upload=files]')
    .setInputFiles([lay('poster.svg', 1200), lay('notes.txt', 900), lay('atlas.tif', 13 * 2 ** 20)]);
  await page.locator('.line.done').waitFor();
  await page.locator('.line.conflict').waitFor();
  await page.locator('.line.running progress').waitFor();
  await page.locator('input[data-upload=files]').setInputFiles(lay('raw scan.tif', 5 * 2 ** 20));
  await page.locator('.line.failed').waitFor();
  fake.own().limit = limit;
}

/** What `queue` began is given up. */
export async function endQueue(page: Page, fake: Fake): Promise<void> {
  await page.locator('.queue-tools .icon-button:has(.icon-close)').click();
  await page.locator('dialog[open] .button.danger').click();
  await page.locator('.queue').waitFor({ state: 'detached' });
  for (const pod of fake.pods) pod.speed = 0;
  fake.own().nodes.delete('poster.svg');
  fake.own().generation++;
}

export const SCREENS: readonly Screen[] = [
  { name: 'files', picture: true, show: (page) => files(page) },
  {
    name: 'tiles',
    picture: true,
    show: async (page) => {
      await files(page, '#/files/own/Photos', 'grid');
      await page.locator('.tile-picture img').nth(5).waitFor();
    },
  },
  {
    name: 'selection',
    picture: true,
    show: async (page) => {
      await files(page);
      await row(page, 'budget.csv').locator('input').click();
      await row(page, 'notes.txt')
        .locator('input')
        .click({ modifiers: ['Shift'] });
      await row(page, 'notes.txt').click({ button: 'right', position: { x: 150, y: 20 } });
      await page.locator('[role=menu]').waitFor();
    },
  },
  {
    name: 'renaming',
    picture: false,
    show: async (page) => {
      await files(page);
      await menuOf(page, 'notes.txt', 'edit');
      await page.locator('input.rename').waitFor();
    },
  },
  {
    name: 'nothing',
    picture: false,
    show: async (page) => {
      await files(page);
      await page.locator('.filter input').fill('nowhere');
      await page.locator('.empty').waitFor();
    },
  },
  { name: 'empty', picture: false, show: (page) => files(page, '#/files/own/Invoices') },
  {
    name: 'new-folder',
    picture: false,
    show: async (page) => {
      await files(page);
      await page.locator('.actions button').first().click();
      await page.locator('dialog[open] input').waitFor();
    },
  },
  {
    name: 'picker',
    picture: false,
    show: async (page) => {
      await files(page);
      await menuOf(page, 'notes.txt', 'move');
      await page.locator('.picker button').first().waitFor();
    },
  },
  {
    name: 'preview',
    picture: true,
    show: async (page) => {
      await files(page, '#/files/own/Photos');
      await row(page, 'tea hills.jpg').locator('.entry').click();
      await page.locator('dialog.preview img.there').waitFor();
    },
  },
  {
    name: 'preview-text',
    picture: false,
    show: async (page) => {
      await files(page);
      await row(page, 'notes.txt').locator('.entry').click();
      await page.locator('dialog.preview pre').waitFor();
    },
  },
  {
    name: 'versions',
    picture: true,
    show: async (page) => {
      await files(page);
      await menuOf(page, 'notes.txt', 'clock');
      await page.locator('.versions li').nth(1).waitFor();
    },
  },
  {
    name: 'deleted',
    picture: false,
    show: async (page) => {
      await files(page);
      await row(page, 'budget.csv').locator('input').click();
      await page.keyboard.press('Delete');
      await page.locator('.toast .button').click();
      await row(page, 'budget.csv').waitFor();
    },
  },
  {
    name: 'trash',
    picture: true,
    show: async (page) => {
      await go(page, '#/trash/own');
      await page.locator('.plain-list li').nth(1).waitFor();
    },
  },
  {
    name: 'past',
    picture: true,
    show: async (page) => {
      await go(page, `#/past/own/${encodeURIComponent(new Date(NOW - 7 * 24 * 3_600_000).toISOString())}`);
      await row(page, 'Draft of the book').waitFor();
    },
  },
  {
    name: 'past-gone',
    picture: false,
    show: async (page) => {
      await go(page, '#/past/own/2020-01-01T00%3A00%3A00Z');
      await page.locator('.empty[role=alert]').waitFor();
    },
  },
  {
    name: 'search',
    picture: true,
    show: async (page) => {
      await go(page, '#/search/own/ha');
      await page.locator('.plain-list li').nth(1).waitFor();
    },
  },
  {
    name: 'groups',
    picture: true,
    show: async (page) => {
      await go(page, '#/groups');
      await page.locator('.cards li').first().waitFor();
    },
  },
  {
    name: 'group',
    picture: true,
    show: async (page) => {
      await go(page, '#/group/design');
      await page.locator('.people li').first().waitFor();
    },
  },
  {
    name: 'joining',
    picture: false,
    show: async (page) => {
      await go(page, '#/groups');
      await page.locator('.cards .button').first().click();
      await page.locator('dialog[open] input').first().waitFor();
    },
  },
  {
    name: 'new-group',
    picture: false,
    show: async (page) => {
      await go(page, '#/groups');
      await page.locator('.page-head .button').click();
      await page.locator('dialog[open] input').first().waitFor();
    },
  },
  {
    name: 'sharing',
    picture: true,
    show: async (page) => {
      await files(page);
      await menuOf(page, 'Photos', 'link');
      await page.locator('dialog[open] input[type=radio]').first().waitFor();
      await page.locator('dialog[open] .versions li').waitFor();
    },
  },
  {
    name: 'link-made',
    picture: true,
    show: async (page, fake) => {
      await files(page);
      await menuOf(page, 'notes.txt', 'link');
      await page.locator('dialog[open] .button.primary').click();
      await page.locator('dialog[open] .copy-field').waitFor();
      // Tokens are chance; a picture is not.
      await page.locator('dialog[open] .copy-field input').evaluate((input: HTMLInputElement) => {
        input.value = 'https://disk.example.org/s/AZc0fV9rT0m2Gq4sDh1uYtq8b3Wn';
      });
      fake.own().shares = fake.own().shares.filter(({ path }) => path !== 'notes.txt');
    },
  },
  {
    name: 'links',
    picture: true,
    show: async (page) => {
      await go(page, '#/links/own');
      await page.locator('.plain-list li').nth(1).waitFor();
    },
  },
  {
    name: 'devices',
    picture: true,
    show: async (page) => {
      await go(page, '#/devices');
      await page.locator('.plain-list li').nth(2).waitFor();
      await page.locator('.mount .copy-field').first().waitFor();
      // The fake's ports are others each time; a picture is not.
      await page.locator('.mount .copy-field input').evaluateAll((inputs) => {
        for (const input of inputs as HTMLInputElement[])
          input.value = input.value.replace(/(http|dav):\/\/[^/]+/, '$1s://files.example.org');
      });
    },
  },
  {
    name: 'mount-windows',
    picture: false,
    show: async (page) => {
      await go(page, '#/devices');
      await page.locator('.mount .views button').first().click();
      await page.locator('.mount .notice-box').waitFor();
    },
  },
  {
    name: 'mount-mac',
    picture: false,
    show: async (page) => {
      await go(page, '#/devices');
      await page.locator('.mount .views button').nth(1).click();
      await page.locator('.mount .notice-box').waitFor();
    },
  },
  {
    name: 'app-password',
    picture: false,
    show: async (page) => {
      await go(page, '#/devices');
      await page.locator('.section-head .button').click();
      await page.locator('dialog[open] input').first().waitFor();
    },
  },
  {
    name: 'app-password-made',
    picture: true,
    show: async (page, fake) => {
      await go(page, '#/devices');
      await page.locator('.section-head .button').click();
      await page.locator('dialog[open] input[name=name]').fill('NAS');
      await page.locator('dialog[open] .button.primary').click();
      await page.locator('dialog[open] .copy-field').waitFor();
      fake.passwords.pop();
    },
  },
  { name: 'queue', picture: true, show: queue },
];

/** What somebody sees who comes by a link, by the path of what is shared. */
export interface Visited extends Omit<Screen, 'show'> {
  readonly of: string | null;
  readonly show: (page: Page) => Promise<void>;
}

const shown = (selector: string) => (page: Page) => page.locator(selector).first().waitFor();

export const VISITS: readonly Visited[] = [
  { name: 'visit-file', picture: true, of: 'harbour at dawn.jpg', show: shown('.preview-body img.there') },
  { name: 'visit-folder', picture: true, of: 'Photos', show: shown('.row') },
  { name: 'visit-box', picture: true, of: 'Invoices', show: shown('.visit-card.box') },
  { name: 'visit-locked', picture: true, of: 'Documents', show: shown('.visit-card input') },
  { name: 'visit-gone', picture: true, of: null, show: shown('.visit-card') },
  { name: 'visit-counted', picture: false, of: 'budget.csv', show: shown('.visit-card form') },
];

export const addressOf = (fake: Fake, { of }: Visited) =>
  `/s/${fake.own().shares.find(({ path }) => path === of)?.token ?? 'nowhere'}`;

/** Puts away what a screen has opened. */
export async function clear(page: Page, { name }: Screen, fake: Fake): Promise<void> {
  if (name === 'queue') await endQueue(page, fake);
  for (let turn = 0; turn < 3; turn++) {
    if ((await page.locator('dialog[open], [role=menu], input.rename').count()) === 0) break;
    await page.keyboard.press('Escape');
  }
  await go(page, '#/groups');
  await page.locator('h1').waitFor();
}
