// A conversation as a person leads it. Left out with the real server is what the embedded model cannot do (think) and
// what a healthy server does not (be full, break off).
import { answered, answers, expect, isReal, message, questions, send, serve, slowly, test } from './served';

test('a whole conversation', async ({ page, open }) => {
  await open();
  await send(page, 'Good morning');
  await answered(page, 1);
  await expect(questions(page)).toHaveText(/Good morning/);
  await expect(answers(page)).not.toHaveText('');
  await send(page, 'And again');
  await answered(page, 2);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Good morning');
  await expect(answers(page).last().locator('.figures')).toContainText(/tokens/);
  await expect(message(page)).toHaveValue('');
});

test('thinking is folded, and only asked for where it is wanted', async ({ page, open }) => {
  test.skip(isReal, 'the embedded model does not think');
  await open();
  await send(page, 'think first');
  await answered(page, 1);
  await expect(page.locator('.thinking')).toHaveCount(0);
  await page.getByRole('button', { name: 'Thinking' }).click();
  await send(page, 'think again');
  await answered(page, 2);
  await expect(page.locator('.thinking-text')).toBeHidden();
  await page.locator('.thinking summary').click();
  await expect(page.locator('.thinking-text')).toContainText('what is asked');
  await expect(answers(page).last().locator('.markdown')).not.toContainText('what is asked');
});

test('tables, mathematics and code', async ({ page, open, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open();
  await send(page, 'a table');
  await answered(page, 1);
  await expect(page.locator('.markdown table tr')).toHaveCount(4);
  await page.keyboard.press('Control+Shift+O'); // all three are more than the embedded model can read
  await send(page, 'math');
  await answered(page, 1);
  await expect(page.locator('.markdown math[display=block] mfrac')).toHaveCount(1);
  await page.keyboard.press('Control+Shift+O');
  await send(page, 'code');
  await answered(page, 1);
  await expect(page.locator('.hljs-keyword').first()).toHaveText('from');
  await page.getByRole('button', { name: 'Copy code' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('def rename(folder: str) -> int:\n');
});

test('an answer is stopped, and written on', async ({ page, open }) => {
  await open();
  await slowly(page);
  await send(page, 'slow');
  await expect(answers(page)).toContainText('墨在石上');
  await page.getByRole('button', { name: 'Stop' }).click();
  await answered(page, 1);
  await expect(answers(page)).toContainText('You stopped this answer.');
  const half = await page.locator('.markdown').innerText();
  expect(half.length).toBeLessThan(200);
  await page.getByRole('button', { name: 'Go on' }).click();
  await answered(page, 1);
  if (!isReal) await expect(page.locator('.markdown')).toContainText('and so it ends.');
  await expect(page.locator('.markdown')).toContainText(half.slice(0, 10));
});

test('Escape stops, and the server is left at once', async ({ page, open, served }) => {
  await open();
  await slowly(page);
  await send(page, 'slow');
  await expect(answers(page)).toContainText('墨在石上');
  await page.keyboard.press('Escape');
  await answered(page, 1);
  await expect
    .poll(async () => (await (await fetch(`${served.address}/metrics`)).text()).match(/requests_running (\d+)/)?.[1])
    .toBe('0');
});

test('a question is edited: two branches, both kept', async ({ page, open }) => {
  await open();
  await send(page, 'First way');
  await answered(page, 1);
  await send(page, 'deeper');
  await answered(page, 2);
  await questions(page).first().getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Edit your message').fill('Second way');
  await page.getByRole('button', { name: 'Send as a new branch' }).click();
  await answered(page, 1);
  await expect(questions(page)).toHaveText(/Second way/);
  await expect(page.locator('.version-count')).toHaveText('2/2');
  await page.getByRole('button', { name: 'Previous version' }).click();
  await expect(questions(page)).toHaveCount(2);
  await expect(questions(page).first()).toContainText('First way');
  await expect(questions(page).last()).toContainText('deeper');
  await page.getByRole('button', { name: 'Next version' }).click();
  await expect(questions(page)).toHaveText(/Second way/);
});

test('another answer stands beside the first', async ({ page, open }) => {
  await open();
  await send(page, 'Hello');
  await answered(page, 1);
  await page.getByRole('button', { name: 'Answer again' }).click();
  await answered(page, 1);
  await expect(answers(page).locator('.version-count')).toHaveText('2/2');
});

test('a tool call is shown as what it did, and answered', async ({ page, open }) => {
  await open();
  await send(page, 'use a tool');
  await answered(page, 1);
  const card = page.getByRole('region', { name: /Set light brightness/ });
  await expect(card.locator('dt')).toHaveText(['room', 'percent', 'colour']);
  await expect(card.locator('dd')).toHaveText(['客厅', '40', 'warm white']);
  await page.getByLabel('Answer of set_light_brightness').fill('done, 40 %');
  await page.getByRole('button', { name: 'Hand over' }).click();
  await answered(page, 2);
  await expect(card).toContainText('done, 40 %');
  await expect(answers(page).last()).toContainText('The tool says: done, 40 %.');
});

test('the page’s own tools run by themselves', async ({ page, open }) => {
  await open();
  await page.keyboard.press('Control+k'); // on a phone the way to the settings leads over the list
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Clock and calculator').check();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('Escape');
  await send(page, 'use a tool');
  await answered(page, 2);
  await expect(page.locator('.call-result')).toContainText('62');
  await expect(answers(page).last()).toContainText('The tool says: 62.');
});

test('what a model writes cannot act', async ({ page, open }) => {
  await open();
  await send(page, 'xss');
  await answered(page, 1);
  await expect(page.locator('.markdown')).toContainText('<script>');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  await expect(page.locator('.markdown img, .markdown script, .markdown style')).toHaveCount(0);
});

test('faults are told in plain words, with what to do', async ({ page, open }) => {
  test.skip(isReal, 'a healthy server does not break off');
  await open();
  await send(page, 'busy');
  await answered(page, 1);
  await expect(page.locator('.fault')).toContainText('no room for another answer');
  await expect(page.locator('.fault')).toContainText('Wait until');
  await page.getByText('What the program said').click();
  await expect(page.locator('.fault-detail')).toContainText('512 MiB needed');
  await send(page, 'broken');
  await answered(page, 2);
  await expect(answers(page).last()).toContainText('This answer');
  await expect(answers(page).last()).toContainText('ended in the middle');
});

test('a question that is too long is not answered, and may be made shorter', async ({ page, open }) => {
  await open();
  await send(page, 'too long ' + 'and '.repeat(5000));
  await answered(page, 1);
  await expect(page.locator('.fault')).toContainText('longer than this model can read');
  await page.getByText('What the program said').click();
  await expect(page.locator('.fault-detail')).toContainText(/context/);
});

test('a text file is attached, sent in a block of its own, and a picture refused', async ({ page, open }) => {
  await open();
  const files = page.locator('.composer input[type=file]');
  await files.setInputFiles({ name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('one\n```\ntwo') });
  await files.setInputFiles({ name: 'cat.png', mimeType: 'image/png', buffer: Buffer.from([0x89, 0x50, 0, 0]) });
  await expect(page.locator('.notice')).toContainText('cat.png is not a text file');
  const request = page.waitForRequest('**/v1/chat/completions');
  await send(page, 'What is in it?');
  const { messages } = (await request).postDataJSON() as { messages: { content: string }[] };
  expect(messages[0]!.content).toBe('File: notes.md\n````\none\n```\ntwo\n````\n\nWhat is in it?');
  await answered(page, 1);
  await expect(questions(page).locator('.file-name')).toHaveText('notes.md');
});

test('a key is asked for once and kept for the session', async ({ browser }) => {
  const locked = await serve(['--key', 'open-sesame']);
  const page = await browser.newPage({ locale: 'en-US' });
  try {
    await page.goto(locked.address);
    await page.getByLabel('Key', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(page.getByText('That key was not accepted')).toBeVisible();
    await page.getByLabel('Key', { exact: true }).fill('open-sesame');
    await page.getByRole('button', { name: 'Go on' }).click();
    await expect(page.locator('dialog')).toHaveCount(0);
    await send(page, 'hello');
    await answered(page, 1);
    await page.reload();
    await expect(page.locator('.model-picker')).toHaveValue(/./);
    await expect(page.locator('dialog')).toHaveCount(0);
  } finally {
    await page.close();
    locked.stop();
  }
});

test('when the program has gone, the page says so and keeps the text', async ({ page, open }) => {
  await open();
  await page.route('**/v1/chat/completions', (route) => route.abort());
  await send(page, 'are you there?');
  await answered(page, 1);
  await expect(page.locator('.fault')).toContainText('The program does not answer.');
  await page.unroute('**/v1/chat/completions');
  await page.getByRole('button', { name: 'Try again' }).click();
  await answered(page, 1);
  await expect(page.locator('.fault')).toHaveCount(0);
});
