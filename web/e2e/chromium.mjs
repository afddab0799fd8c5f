// Where Chromium is: Playwright's own, or else the system's. undefined: nowhere.
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const kSystem = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const chromiumPath = () => [chromium.executablePath(), ...kSystem].find((path) => existsSync(path));
