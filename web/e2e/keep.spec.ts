// What the page keeps, the keys, the input methods, and what leaves the machine.
import { readFile } from 'node:fs/promises';
import type { Locator } from '@playwright/test';
import { answered, answers, expect, isReal, message, questions, send, slowly, test } from './served';

test('reload keeps conversations, a half answer and the draft', async ({ page, open }) => {
  await open();
  await send(page, 'Remember me');
  await answered(page, 1);
  await slowly(page);
  await send(page, 'slow');
  await expect(answers(page).last()).toContainText('墨在石上');
  await message(page).fill('half a thought');
  await page.waitForTimeout(100); // less than the saver waits: the reload itself must write it
  await page.reload();
  await expect(questions(page).first()).toContainText('Remember me');
  await expect(answers(page).last()).toContainText('墨在石上');
  await expect(answers(page).last()).toContainText('interrupted');
  await expect(message(page)).toHaveValue('half a thought');
  await page.getByRole('button', { name: 'Go on' }).click();
  await answered(page, 2);
  if (!isReal) await expect(answers(page).last()).toContainText('and so it ends.');
});

test('Enter sends, Shift+Enter makes a line, and an input method keeps its Enter', async ({ page, open }) => {
  await open();
  await message(page).focus();
  const keys = await page.context().newCDPSession(page);
  await keys.send('Input.imeSetComposition', { text: 'ni hao', selectionStart: 6, selectionEnd: 6 });
  await expect(message(page)).toHaveValue('ni hao');
  // The Enter that ends a composition, as Chromium sends it: key code 229.
  await keys.send('Input.dispatchKeyEvent', {
    type: 'rawKeyDown',
    windowsVirtualKeyCode: 229,
    code: 'Enter',
    key: 'Process',
  });
  await keys.send('Input.dispatchKeyEvent', { type: 'keyUp', windowsVirtualKeyCode: 13, code: 'Enter', key: 'Enter' });
  await expect(questions(page)).toHaveCount(0);
  await keys.send('Input.insertText', { text: '你好' });
  await expect(message(page)).toHaveValue('你好');
  // The same as events: isComposing, and Safari's late Enter with 229.
  for (const how of [
    { isComposing: true, keyCode: 13 },
    { isComposing: false, keyCode: 229 },
  ])
    await message(page).evaluate(
      (area, init) =>
        area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init })),
      how,
    );
  await expect(questions(page)).toHaveCount(0);
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('second line');
  await expect(message(page)).toHaveValue('你好\nsecond line');
  await page.keyboard.press('Enter');
  await answered(page, 1);
  await expect(questions(page).locator('.question-text')).toHaveText('你好\nsecond line');
});

test('several conversations: search over all, rename, delete', async ({ page, open }) => {
  await open();
  for (const text of ['about whales', 'about rivers']) {
    await send(page, text);
    await answered(page, 1);
    await page.keyboard.press('Control+Shift+O');
    await expect(questions(page)).toHaveCount(0);
  }
  await page.keyboard.press('Control+k');
  await expect(page.locator('#search')).toBeFocused();
  await page.keyboard.type('WHALE');
  await expect(page.locator('.result').first()).toContainText('about whales');
  await page.locator('.result').first().click();
  await expect(questions(page)).toContainText('about whales');
  await page.locator('#search').fill('');
  const row = page.locator('.row', { hasText: 'about whales' });
  await row.hover();
  await row.getByRole('button', { name: /^Rename/ }).click();
  await page.keyboard.type('The sea');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The sea');
  await page
    .locator('.row', { hasText: 'The sea' })
    .getByRole('button', { name: /^Delete/ })
    .click();
  await expect(page.getByRole('dialog')).toContainText('Delete “The sea”?');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.locator('.row')).toHaveText(['about rivers']);
  await page.waitForTimeout(500);
  await page.reload();
  await expect(page.locator('.row')).toHaveText(['about rivers']);
});

test('the focus follows an act before the next frame: who types at once loses nothing', async ({ page, open }) => {
  await open();
  await send(page, 'about whales');
  await answered(page, 1);
  // Clicked from within, so that no frame comes between the click and the look.
  const focusAfter = (button: Locator): Promise<string> =>
    button.evaluate(async (element: HTMLElement) => {
      element.click();
      for (let turn = 0; turn < 5; ++turn) await Promise.resolve();
      const focus = document.activeElement!;
      return focus.getAttribute('aria-label') ?? focus.textContent;
    });
  expect(await focusAfter(page.getByRole('button', { name: /^Rename/ }))).toBe('Name of the conversation');
  await page.keyboard.press('Escape');
  expect(await focusAfter(questions(page).getByRole('button', { name: 'Edit' }))).toBe('Edit your message');
  await page.keyboard.press('Escape');
  expect(await focusAfter(page.getByRole('button', { name: 'More for this conversation' }))).toBe('Save as Markdown');
  await page.keyboard.press('Escape');
  await message(page).blur();
  expect(await focusAfter(page.locator('.new-talk'))).toBe(await message(page).getAttribute('aria-label'));
});

test('export, delete all, import: all is back, with its branches', async ({ page, open }) => {
  await open();
  await send(page, 'Keep this');
  await answered(page, 1);
  await page.getByRole('button', { name: 'Answer again' }).click();
  await answered(page, 1);
  const before = await page.locator('.turns').innerText();
  await page.getByRole('button', { name: 'More for this conversation' }).click();
  const markdown = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Save as Markdown' }).click();
  expect(await readFile(await (await markdown).path(), 'utf8')).toContain('# Keep this\n\n## You\n\nKeep this');
  await page.getByRole('button', { name: 'Settings' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save all as JSON' }).click();
  const file = await (await download).path();
  await page.getByRole('button', { name: 'Delete all conversations' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.locator('.row')).toHaveCount(0);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page
    .locator('#import-file')
    .setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{"format":"other"}') });
  await expect(page.locator('.notice')).toContainText('format');
  await page.locator('#import-file').setInputFiles(file);
  await expect(page.locator('.notice')).toContainText('Conversations read in: 1');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.locator('.row-title').click();
  expect(await page.locator('.turns').innerText()).toBe(before);
});

test('a second tab sees what the first one writes', async ({ page, open, context, served }) => {
  await open();
  const second = await context.newPage();
  await second.goto(served.address);
  await send(page, 'From the first tab');
  await answered(page, 1);
  await expect(second.locator('.row')).toContainText('From the first tab');
});

test('the machine’s panel tells what is measured, and that nothing is sent out', async ({ page, open }) => {
  await open();
  await page.getByRole('button', { name: 'What the machine does' }).click();
  await send(page, 'one');
  await answered(page, 1);
  await send(page, 'two');
  await answered(page, 2);
  const panel = page.getByRole('complementary', { name: 'Machine' });
  await expect(panel.locator('.sent strong')).toHaveText('0 B');
  await expect(panel).toContainText(/Writing\s*[\d.,]+ tokens\/s/);
  await expect(panel).toContainText(/Memory\s*[\d.,]+ [MG]B/);
  await expect(panel.locator('.with-bar').first()).toContainText('%');
  if (isReal) await expect(panel).toContainText(/for conversations\s*[\d.,]+ [kMG]B/);
});

test('nothing but the page’s own host is asked for, in a whole tour', async ({ page, open, watched, served }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await open();
  for (const text of ['table', 'math', 'code', 'xss', 'tool']) {
    await page.keyboard.press('Control+Shift+O'); // together they are more than the embedded model can read
    await send(page, text);
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  }
  await page.getByRole('button', { name: 'What the machine does' }).click();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Colours').selectOption('dark');
  await page.reload();
  await expect(questions(page).first()).toBeVisible();
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((address) => !address.startsWith(served.address) && !address.startsWith('blob:'))).toEqual([]);
  expect(watched.outward).toEqual([]);
});

test('the language follows the browser, can be changed, and is kept', async ({ browser, served }) => {
  for (const [locale, greeting] of [
    ['zh-CN', '今天想聊些什么？'],
    ['zh-HK', '今天想聊些什麼？'],
    ['yue-HK', '今日想傾啲乜？'],
    ['en-GB', 'What shall we think about?'],
    ['fr-FR', 'What shall we think about?'],
  ] as const) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    await page.goto(served.address);
    await expect(page.getByRole('heading', { name: greeting })).toBeVisible();
    await context.close();
  }
  const context = await browser.newContext({ locale: 'en-US' });
  const page = await context.newPage();
  await page.goto(served.address);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel(/Language/).selectOption('yue');
  await expect(page.getByRole('heading', { name: '設定' })).toBeVisible();
  await page.waitForTimeout(500);
  await page.reload();
  await expect(page.getByRole('heading', { name: '今日想傾啲乜？' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'yue-Hant');
  await context.close();
});
