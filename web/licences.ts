// The licences of what is bundled into the page, written beside it: the libraries' terms ask that they come along. Only
// packages whose code really is in the bundle are named.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const kPackage = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

export function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const folders = new Map<string, string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of chunk.moduleIds) {
          const match = kPackage.exec(id.replace(/\\/g, '/').replace(/^\0/, ''));
          if (match) folders.set(match[2]!, match[1]!);
        }
      }
      const parts = [...folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => noticeOf(name, folder));
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: parts.join(`\n${'-'.repeat(78)}\n\n`) });
    },
  };
}

function noticeOf(name: string, folder: string): string {
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license?: string;
  };
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined || !existsSync(join(folder, file))) throw new Error(`${name} has no licence file`);
  // Two licences to choose from (DOMPurify): the one that is this project's own, whose text is long and in its root.
  if (license?.includes('Apache-2.0'))
    return `${name} ${version}\nUsed under the Apache License 2.0, the same as Inkstone's own (LICENSE).\n`;
  return `${name} ${version} (${license ?? 'see below'})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
