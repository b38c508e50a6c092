// Every screen, in both languages and themes: nothing keeps anybody out (WCAG 2.2 AA, as far as axe can tell), and on
// the narrowest phone nothing lies beyond the edge.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { furnish } from '../fake/example.ts';
import { ROOT } from '../fake/fake.ts';
import { addressOf, clear, SCREENS, VISITS } from './screens.ts';
import { Stage } from './stage.ts';

const stage = new Stage();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LANGUAGES = { en: 'en-GB', ko: 'ko-KR' };
/** In the dark only the colours are others. */
const THEMES = {
  light: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  dark: ['color-contrast'],
} as const;

before(async () => {
  furnish(stage.fake);
  await stage.start();
});
after(async () => {
  await stage.stop();
  assert.deepEqual(stage.errors, []);
  assert.deepEqual(stage.strangers, []);
});

/** What keeps somebody out of what is shown. */
async function barriers(page: Page, runOnly: readonly string[]): Promise<string[]> {
  return page.evaluate(async (runOnly) => {
    interface Violation {
      id: string;
      help: string;
      nodes: { html: string; failureSummary?: string }[];
    }
    const { axe } = globalThis as unknown as {
      axe: { run: (of: Document, how: object) => Promise<{ violations: Violation[] }> };
    };
    // What is on its way from one colour to the other has neither.
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    for (const animation of document.getAnimations()) {
      if (Number.isFinite(animation.effect?.getComputedTiming().endTime)) animation.finish();
    }
    const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => {
      const [node] = nodes;
      return `${id}: ${help} (${nodes.length}): ${node?.html.slice(0, 160)} ${node?.failureSummary ?? ''}`;
    });
  }, runOnly);
}

for (const [language, locale] of Object.entries(LANGUAGES)) {
  test(`every screen is open to everybody in ${language}`, async () => {
    const found: string[] = [];
    const look = async (page: Page, name: string) => {
      for (const [theme, rules] of Object.entries(THEMES)) {
        await page.emulateMedia({ colorScheme: theme as keyof typeof THEMES, reducedMotion: 'reduce' });
        for (const barrier of await barriers(page, rules)) found.push(`${name}, ${theme}: ${barrier}`);
      }
    };
    const page = await stage.page({ locale });
    await page.locator('button[type=submit]').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    await page.evaluate(axe);
    await look(page, 'sign-in');
    await page.locator('input[name=member]').fill(stage.fake.me);
    await page.locator('input[name=password]').fill('wrong');
    await page.locator('button[type=submit]').click();
    await page.locator('.form-problem', { hasText: /./ }).waitFor();
    await look(page, 'refused');
    await page.locator('input[name=password]').fill(stage.fake.password);
    await page.locator('button[type=submit]').click();
    await page.locator('.shell').waitFor();
    for (const screen of SCREENS) {
      await screen.show(page, stage.fake);
      await look(page, screen.name);
      await clear(page, screen, stage.fake);
    }
    for (const visited of VISITS) {
      await page.goto(stage.fake.web.url + addressOf(stage.fake, visited));
      await visited.show(page);
      await page.evaluate(axe);
      await look(page, visited.name);
    }
    await page.close();
    assert.deepEqual(found, []);
  });
}

test('on the narrowest phone nothing lies beyond the edge, and all can be hit', async () => {
  const page = await stage.signedIn({
    locale: 'ko-KR',
    viewport: { width: 360, height: 640 },
    hasTouch: true,
  });
  const found: string[] = [];
  const measure = async (name: string) => {
    const wrong = await page.evaluate(() => {
      const wide = document.scrollingElement && document.scrollingElement.scrollWidth > innerWidth;
      // WCAG 2.5.8: 24 by 24 pixels, but for links in a text and what the browser draws.
      const small = [...document.querySelectorAll('button, select')]
        .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
        .filter((one) => !one.closest('small, .hidden, .skip') && !one.classList.contains('skip'))
        .map((one) => ({ one, box: one.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24));
      return [
        ...(wide ? [`${document.scrollingElement?.scrollWidth} pixels wide`] : []),
        ...small.map(({ one }) => `too small: ${one.outerHTML.slice(0, 120)}`),
      ];
    });
    found.push(...wrong.map((what) => `${name}: ${what}`));
  };
  for (const screen of SCREENS) {
    await screen.show(page, stage.fake);
    await measure(screen.name);
    await clear(page, screen, stage.fake);
  }
  for (const visited of VISITS) {
    await page.goto(stage.fake.web.url + addressOf(stage.fake, visited));
    await visited.show(page);
    await measure(visited.name);
  }
  await page.close();
  assert.deepEqual(found, []);
});

test('what can be done with a selection is in sight at every width', async () => {
  const page = await stage.signedIn();
  await page.locator('.row input').first().click();
  for (const width of [360, 600, 820, 821, 900, 1040, 1120, 1200, 1600]) {
    await page.setViewportSize({ width, height: 700 });
    const hidden = await page.evaluate(() => {
      const tools = document.querySelector('.tools')?.getBoundingClientRect();
      const parts = [...document.querySelectorAll('.tools > *')]
        .map((part) => part.getBoundingClientRect())
        .filter((box) => box.width > 0);
      const buttons = [...document.querySelectorAll('.selection button')];
      const last = buttons.at(-1)?.getBoundingClientRect();
      const own = document.querySelector('.selection')?.getBoundingClientRect();
      if (!tools || !last || !own) return 'there is no line of tools';
      if (parts.some((box, index) => index > 0 && box.left < (parts[index - 1]?.right ?? 0) - 1))
        return 'they overlap';
      if (parts.some((box) => box.right > tools.right + 1)) return 'something is beyond the edge';
      return last.right > own.right ? 'the last button is cut off' : '';
    });
    assert.equal(hidden, '', `${width} pixels wide`);
  }
  await page.close();
});

test('the first load is small', (context) => {
  const LARGEST = 150 * 1024;
  const dist = join(ROOT, 'dist');
  const index = readFileSync(join(dist, 'index.html'), 'utf8');
  const scripts = readdirSync(join(dist, 'assets')).filter(
    (name) => name.endsWith('.js') && index.includes(name),
  );
  assert.ok(scripts.length > 0, 'the page has a script');
  const bytes = scripts.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(dist, 'assets', name))).length,
    0,
  );
  context.diagnostic(`${bytes} bytes of script, compressed`);
  assert.ok(bytes < LARGEST, `${bytes} bytes of script`);
  assert.ok(!/https?:\/\//.test(index), 'nothing is loaded from elsewhere');
});
