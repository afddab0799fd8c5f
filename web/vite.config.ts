// How the page is built. dist/ is committed, because a bare machine builds Inkstone without Node: therefore the
// result must depend on the sources and the lock file alone (check_dist.mjs proves it). Relative addresses, so that
// the page also works behind a proxy's path. No source maps: they would be larger than the page.
import { defineConfig } from 'vitest/config';
import { licences } from './licences.ts';

const server = process.env.INKSTONE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: './',
  plugins: [licences()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    outDir: process.env.PAGE_OUT ?? 'dist',
    emptyOutDir: true,
    sourcemap: false,
    assetsInlineLimit: 0, // a data: address in a style sheet is allowed by the policy, but nothing needs one
    modulePreload: { polyfill: false }, // the polyfill is for browsers without modules
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/v1': server, '/health': server, '/metrics': server } },
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'] },
});
