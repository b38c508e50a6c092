// `npm run pictures`: every screen, in both languages and themes, as wide as a desk and as narrow as a phone, under
// docs/guide/pictures. They are to be looked at, one by one, by somebody who would send them back.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { furnish, NOW } from '../fake/example.ts';
import { ROOT } from '../fake/fake.ts';
import { addressOf, clear, SCREENS, VISITS } from './screens.ts';
import { Stage } from './stage.ts';

const FOLDER = process.env.PICTURES ?? join(ROOT, '../../docs/guide/pictures');
const SIZES = {
  desk: { viewport: { width: 1120, height: 720 } },
  phone: { viewport: { width: 360, height: 700 }, hasTouch: true, isMobile: true },
} as const;
const LANGUAGES = { en: 'en-GB', ko: 'ko-KR' };
const THEMES = ['light', 'dark'] as const;
const QUALITY = 0.8;

/** Playwright makes PNG, a browser makes of it what is a fifth of that. */
async function smaller(page: Page, png: Buffer): Promise<Buffer> {
  const text = await page.evaluate(
    async ([data, quality]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
      let binary = '';
      for (const byte of new Uint8Array(await blob.arrayBuffer())) binary += String.fromCharCode(byte);
      return btoa(binary);
    },
    [png.toString('base64'), QUALITY] as const,
  );
  return Buffer.from(text, 'base64');
}

async function main(): Promise<void> {
  const only = process.argv.slice(2);
  if (only.length === 0) rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const stage = new Stage();
  furnish(stage.fake);
  await stage.start();
  let bytes = 0;
  try {
    for (const [size, options] of Object.entries(SIZES)) {
      for (const [language, locale] of Object.entries(LANGUAGES)) {
        const page = await stage.page({ locale, reducedMotion: 'reduce', ...options });
        await page.clock.setFixedTime(NOW);
        await page.reload();
        const take = async (name: string) => {
          for (const colorScheme of THEMES) {
            await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
            const picture = await smaller(
              page,
              await page.screenshot({ animations: 'disabled', caret: 'hide' }),
            );
            bytes += picture.length;
            writeFileSync(join(FOLDER, `${name}-${language}-${colorScheme}-${size}.webp`), picture);
          }
        };
        await page.locator('input[name=member]').fill(stage.fake.me);
        if (only.length === 0) await take('sign-in');
        await page.locator('input[name=password]').fill(stage.fake.password);
        await page.locator('button[type=submit]').click();
        await page.locator('.shell').waitFor();
        for (const screen of SCREENS) {
          if (!screen.picture || (only.length > 0 && !only.includes(screen.name))) continue;
          await screen.show(page, stage.fake);
          await page.mouse.move(2, 2);
          await take(screen.name);
          await clear(page, screen, stage.fake);
        }
        for (const visited of VISITS) {
          if (!visited.picture || (only.length > 0 && !only.includes(visited.name))) continue;
          await page.goto(stage.fake.web.url + addressOf(stage.fake, visited));
          await visited.show(page);
          await take(visited.name);
        }
        await page.context().close();
      }
    }
  } finally {
    await stage.stop();
  }
  console.log(`${FOLDER}: ${Math.round(bytes / 1024)} KiB`);
}

await main();
