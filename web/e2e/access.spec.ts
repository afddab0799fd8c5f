// For everybody: axe finds no serious fault in any state of the page, in light and dark, wide and narrow; the keyboard
// alone is enough; what grows is announced in whole paragraphs.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { answered, expect, message, questions, send, test } from './served';

test.describe.configure({ timeout: 180_000 }); // axe looks at every node, some seconds on a small machine

async function noFaults(page: Page, where: string): Promise<void> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))).then(
      () => undefined,
      () => undefined,
    ),
  );
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const told = violations.map(
    (one) =>
      `${where}: ${one.impact} ${one.id}: ${one.help} — ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`,
  );
  expect(told.filter((one) => /: (serious|critical) /.test(one))).toEqual([]);
  expect(told).toEqual([]); // there is no slight one either; if one must stay, let this line say which
}

for (const colours of ['light', 'dark'] as const) {
  test(`axe, ${colours}`, async ({ page, open }) => {
    await page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
    await open();
    await noFaults(page, 'start');
    // The embedded model can read only some of them together: then there is a fault to look at as well.
    for (const text of ['think', 'table', 'tool', 'math', 'code', 'busy']) {
      await send(page, text);
      await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    }
    await page
      .locator('.composer input[type=file]')
      .setInputFiles({ name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('x') });
    await noFaults(page, 'a conversation');
    await page.getByRole('button', { name: 'What the machine does' }).click();
    await expect(page.getByRole('complementary', { name: 'Machine' })).toContainText('Memory');
    await noFaults(page, 'the machine');
    await page.getByRole('complementary', { name: 'Machine' }).getByRole('button', { name: 'Close' }).click();
    await questions(page).first().getByRole('button', { name: 'Edit' }).click();
    await noFaults(page, 'editing');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await expect(page.locator('#search')).toBeFocused();
    await page.keyboard.type('a');
    await expect(page.locator('.list-note')).toBeVisible();
    await noFaults(page, 'search');
    await page.locator('#search').fill('');
    await page.getByRole('button', { name: 'Settings' }).click();
    await noFaults(page, 'settings');
  });
}

test('the keyboard alone is enough', async ({ page, open, isMobile }) => {
  test.skip(isMobile, 'a phone has no Tab key');
  await open();
  const first = await page.evaluate(
    () => document.querySelector('a[href], button, input, select, textarea')?.className,
  );
  expect(first).toBe('skip');
  await page.getByRole('link', { name: 'Skip to the message box' }).focus();
  await expect(page.getByRole('link', { name: 'Skip to the message box' })).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(message(page)).toBeFocused();
  await page.keyboard.type('hello');
  await page.keyboard.press('Enter');
  await answered(page, 1);
  await expect(message(page)).toBeFocused();
  await page.getByRole('button', { name: 'More for this conversation' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem').nth(1)).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'More for this conversation' })).toBeFocused();
  await expect(page.locator('[role=menu]')).toBeHidden();
  await questions(page).getByRole('button', { name: 'Edit' }).press('Enter');
  await expect(page.getByLabel('Edit your message')).toBeFocused();
  await page.keyboard.press('End');
  await page.keyboard.type(' again');
  await page.keyboard.press('Enter');
  await answered(page, 1);
  await page.getByRole('button', { name: 'Previous version' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Next version' })).toBeFocused();
});

test('what grows is heard in paragraphs, once', async ({ page, open }) => {
  await open();
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const region = document.querySelector('.thread-frame')!;
    new MutationObserver((changes) => {
      for (const change of changes)
        for (const node of change.addedNodes) {
          const live = node instanceof Element ? node.closest('[aria-live]') : null;
          if (live && node.textContent) heard.push(node.textContent);
        }
    }).observe(region, { childList: true, subtree: true });
  });
  await send(page, 'long');
  await answered(page, 1);
  const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  expect(heard.length).toBeLessThan(12);
  expect(heard.join(' ')).toContain('墨在石上慢慢化开，');
  expect(heard.at(-1)).toContain('End of the answer');
});

test('a narrow window scrolls in one direction only', async ({ page, open, isMobile }) => {
  test.skip(!isMobile, 'narrow');
  await page.setViewportSize({ width: 320, height: 640 });
  await open();
  for (const text of ['table', 'math', 'code', 'tool']) {
    await page.keyboard.press('Control+Shift+O');
    await send(page, text);
    await answered(page, 1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    expect(await page.locator('.thread').evaluate((thread) => thread.scrollWidth - thread.clientWidth)).toBe(0);
  }
});
