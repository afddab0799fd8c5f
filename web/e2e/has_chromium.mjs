// Ends with 0 when there is a Chromium to test the page in.
import { chromiumPath } from './chromium.mjs';

process.exit(chromiumPath() === undefined ? 1 : 0);
