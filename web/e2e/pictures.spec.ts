// The README's pictures of the page: three languages, wide and narrow, light and dark. Made by the test, from the
// scripted answers, so they never show what the page does not do.
//   PICTURES=1 npx playwright test --config e2e/playwright.config.ts --project pictures
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, serve, test } from './served';

const kFolder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const kMostBytes = 150 * 1024;

interface Picture {
  name: string;
  locale: string;
  width: number;
  height: number;
  dark?: boolean;
  machine?: boolean;
  thinking?: boolean;
  say: string[];
  scrollTo?: string;
}

const kPictures: Picture[] = [
  {
    name: 'page-zh-hans-desktop',
    locale: 'zh-CN',
    width: 1280,
    height: 800,
    machine: true,
    thinking: true,
    say: ['每天写一点，怎样才能坚持？', '三种排序方法，做成表格'],
  },
  { name: 'page-zh-hant-phone', locale: 'zh-TW', width: 390, height: 780, say: ['把客廳的燈調到四成'] },
  {
    name: 'page-en-desktop-dark',
    locale: 'en-GB',
    width: 1280,
    height: 800,
    dark: true,
    say: ['How are quadratic equations solved?', 'Rename my photos by date'],
  },
  {
    name: 'page-yue-phone-dark',
    locale: 'yue-HK',
    width: 390,
    height: 780,
    dark: true,
    thinking: true,
    say: ['聽日去行山定係睇戲好？'],
  },
  { name: 'page-en-phone', locale: 'en-GB', width: 390, height: 780, say: [] },
  { name: 'page-zh-hant-desktop', locale: 'zh-HK', width: 1280, height: 800, say: [] },
];

for (const picture of kPictures) {
  test(picture.name, async ({ browser }) => {
    test.skip(process.env.PICTURES === undefined, 'PICTURES=1 makes them');
    const served = await serve();
    const context = await browser.newContext({
      locale: picture.locale,
      viewport: { width: picture.width, height: picture.height },
      colorScheme: picture.dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      ...(picture.width < 500 ? { isMobile: true, hasTouch: true } : {}),
    });
    try {
      const page = await context.newPage();
      await page.goto(served.address);
      await expect(page.locator('.model-picker')).toHaveValue('ink-small');
      if (picture.machine) await page.locator('.head button[aria-pressed]').click();
      if (picture.thinking) await page.locator('.toggle').click();
      for (const [index, text] of picture.say.entries()) {
        await page.locator('#message').fill(text);
        await page.locator('button.send').click();
        await expect(page.locator('article.user')).toHaveCount(index + 1);
        await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
      }
      if (picture.machine) await page.waitForTimeout(2500); // the next look at the machine
      const path = `${kFolder}${picture.name}.png`;
      await page.screenshot({ path });
      expect(statSync(path).size).toBeLessThanOrEqual(kMostBytes);
    } finally {
      await context.close();
      served.stop();
    }
  });
}
