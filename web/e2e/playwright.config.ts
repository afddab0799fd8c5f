// The page in a real Chromium. Against the scripted server of web/dev, or, where INKSTONE_BIN names the program (and
// INKSTONE_MODEL perhaps a model), against `inkstone serve` itself. Chromium is Playwright's own, or the system's where
// that is not installed (Debian's package "chromium").
import { defineConfig } from '@playwright/test';
import { chromiumPath } from './chromium.mjs';

export default defineConfig({
  testDir: '.',
  outputDir: './results',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: 1, // small machines: one browser at a time
  forbidOnly: true,
  reporter: [['list']],
  use: {
    locale: 'en-US',
    timezoneId: 'Asia/Shanghai',
    launchOptions: { executablePath: chromiumPath(), args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] },
    trace: 'off',
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 1280, height: 800 } }, testIgnore: /pictures/ },
    {
      name: 'phone',
      use: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
      testMatch: /(talk|access)\.spec/,
    },
    { name: 'pictures', testMatch: /pictures\.spec/ },
  ],
});
