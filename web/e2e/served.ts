// What all tests share: a server that is started for them, a page on it, every request to another host blocked and
// counted, and every complaint of the browser (a violated policy, an exception) noted.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test as base, type Page } from '@playwright/test';

export const isReal = process.env.INKSTONE_BIN !== undefined;

interface Served {
  address: string;
  stop(): void;
}

export async function serve(extra: string[] = []): Promise<Served> {
  const fake = fileURLToPath(new URL('../dev/fake_server.mjs', import.meta.url));
  const model = process.env.INKSTONE_MODEL;
  const child: ChildProcess = isReal
    ? spawn(
        process.env.INKSTONE_BIN!,
        [
          'serve',
          '--port',
          '0',
          ...(model ? ['-m', model] : []),
          ...extra.map((one) => one.replace('--key', '--api-key')),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
    : spawn(process.execPath, [fake, '--port', '0', ...extra], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(text);
      if (found) resolve(found[1]!);
    });
    child.on('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
  });
  return { address, stop: () => void child.kill() };
}

export interface Watched {
  outward: string[]; // addresses of other hosts that the page asked for
  complaints: string[];
}

export const test = base.extend<{ watched: Watched; open: (path?: string) => Promise<void> }, { served: Served }>({
  served: [
    async ({}, use) => {
      const served = await serve();
      await use(served);
      served.stop();
    },
    { scope: 'worker' },
  ],
  watched: [
    async ({ context, page, served }, use) => {
      const watched: Watched = { outward: [], complaints: [] };
      await context.route(
        (url) => url.origin !== served.address,
        async (route) => {
          watched.outward.push(route.request().url());
          await route.abort();
        },
      );
      page.on('pageerror', (error) => watched.complaints.push(error.message));
      page.on('console', (message) => {
        if (/Content Security Policy|violates/.test(message.text())) watched.complaints.push(message.text());
      });
      await use(watched);
      // However a test went: the page has spoken to no other host and broken no policy.
      expect(watched.outward).toEqual([]);
      expect(watched.complaints).toEqual([]);
    },
    { auto: true },
  ],
  open: async ({ page, served }, use) => {
    await use(async (path = '/') => {
      await page.goto(served.address + path);
      await expect(message(page)).toBeVisible();
      await expect(
        page.getByRole('combobox', { name: 'Model' }).or(page.locator('.model-picker:enabled')),
      ).toBeEnabled();
    });
  },
});

export const message = (page: Page) => page.locator('#message');
export const answers = (page: Page) => page.locator('article.assistant');
export const questions = (page: Page) => page.locator('article.user');

export async function send(page: Page, text: string): Promise<void> {
  await message(page).fill(text);
  await page.locator('button.send').click();
}

// Until nothing grows any more.
export async function answered(page: Page, count: number): Promise<void> {
  await expect(answers(page)).toHaveCount(count);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
}

export { expect };
