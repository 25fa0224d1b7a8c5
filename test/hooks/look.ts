/** A page as it looks: by axe, and in pictures for people. Its context has to let scripts of a test in (`bypassCSP`). */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const artifacts = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const widths = [320, 768, 1280];
const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function findsNothing(page: Page, what: string): Promise<void> {
  await page.evaluate(await axe);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: Violation[] }> };
    };
    type Violation = { id: string; nodes: { html: string }[] };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
  expect(found, what).toEqual([]);
}

/**
 * Looks at the page as it stands: axe, no scrolling sideways, and a picture, in both themes at every width; then in the colours that a
 * reader forces on it, and from right to left.
 */
export async function look(page: Page, name: string): Promise<void> {
  await mkdir(artifacts, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of widths) await fits(page, `${name}-${colorScheme}`, width);
    await findsNothing(page, `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'active' });
  await fits(page, `${name}-forced`, 768);
  await page.emulateMedia({ forcedColors: 'none' });
  await turn(page, 'rtl');
  for (const width of widths) await fits(page, `${name}-rtl`, width);
  await turn(page, 'ltr');
}

async function fits(page: Page, name: string, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  await page.screenshot({ path: `${artifacts}${name}-${width}.png` });
  const beyond = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect(beyond, `${name} at ${width}`).toBeLessThanOrEqual(0);
}

async function turn(page: Page, direction: 'ltr' | 'rtl'): Promise<void> {
  await page.evaluate((dir) => {
    document.documentElement.dir = dir;
  }, direction);
}
