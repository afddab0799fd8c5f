// What all tests share: a server that is started for them, a page on it, every request to another host blocked and
// counted, and every complaint of the browser (a violated policy, an exception) noted.
//
// The real server is asked for the same answers as the scripted one gives: a grammar of that one text, or a call whose
// schema has constants only. The model, its constraint, the parser and the wire are the real ones all the same.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test as base, type Page, type Route } from '@playwright/test';
import { scriptFor } from '../dev/scripts.mjs';

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

interface Body {
  messages: { role: string; content: string }[];
  tools?: { function: { name: string } }[];
  [field: string]: unknown;
}

function spelledOut(body: Body): Body {
  const script = scriptFor(body.messages, body.tools);
  if (!script || body.messages.at(-1)!.role === 'assistant') return body; // a form cannot begin in the middle
  const call = script.calls?.[0];
  if (!call) {
    const without = body.tools ? { tool_choice: 'none' } : {}; // a text of a grammar could be taken for a call
    return { ...body, ...without, grammar: `root ::= ${JSON.stringify(script.text)}` };
  }
  const { name } = call;
  const values = JSON.parse(call.arguments) as Record<string, unknown>;
  const properties = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { const: value }]));
  const parameters = { type: 'object', properties, required: Object.keys(values), additionalProperties: false };
  const tool = { type: 'function', function: { name, parameters, strict: true } };
  return {
    ...body,
    tools: [...(body.tools ?? []).filter((one) => one.function.name !== name), tool],
    tool_choice: { type: 'function', function: { name } },
    parallel_tool_calls: false,
  };
}

async function askScripted(route: Route): Promise<void> {
  await route.continue({ postData: JSON.stringify(spelledOut(route.request().postDataJSON() as Body)) });
}

// A small model may have written all before the test has looked: then what it writes arrives slowly.
export async function slowly(page: Page): Promise<void> {
  if (!isReal) return;
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: 30_000,
    uploadThroughput: -1,
  });
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
      if (isReal) await page.route('**/v1/chat/completions', askScripted);
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
