// Proves that the committed dist/ is what the sources give: builds into a folder aside and compares byte by byte, and
// looks at what the program will embed: its size, that there is no source map, that nothing names another host as a
// place to fetch from, and that the page asks for no inline script or style (its policy would forbid them).
//   node check_dist.mjs
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const kMostBytes = 600 * 1024;
const root = fileURLToPath(new URL('.', import.meta.url));
const dist = join(root, 'dist');

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

const faults = [];
const fresh = mkdtempSync(join(tmpdir(), 'inkstone-page-'));
try {
  execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'error'], {
    cwd: root,
    env: { ...process.env, PAGE_OUT: fresh },
    stdio: 'inherit',
  });
  const [there, made] = [filesOf(dist), filesOf(fresh)];
  if (there.join('\n') !== made.join('\n'))
    faults.push(`dist has ${there.join(', ')}; the sources give ${made.join(', ')}`);
  for (const file of there.filter((one) => made.includes(one)))
    if (!readFileSync(join(dist, file)).equals(readFileSync(join(fresh, file))))
      faults.push(`${file} is not what the sources give`);
} finally {
  rmSync(fresh, { recursive: true });
}

let bytes = 0;
for (const file of filesOf(dist)) {
  bytes += statSync(join(dist, file)).size;
  const text = readFileSync(join(dist, file), 'utf8');
  if (file.endsWith('.map') || text.includes('sourceMappingURL')) faults.push(`${file}: a source map`);
  if (file.endsWith('.css') && /url\(|@import/.test(text)) faults.push(`${file}: fetches something`);
  if (!file.endsWith('.html')) continue;
  if (/(?:src|href)="(?!\.\/)/.test(text)) faults.push(`${file}: an address that is not the page's own`);
  if (/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/.test(text)) faults.push(`${file}: something inline`);
}
if (bytes > kMostBytes) faults.push(`${bytes} bytes, allowed are ${kMostBytes}`);

for (const fault of faults) console.error(`web/dist: ${fault}`);
if (faults.length > 0) {
  console.error('web/dist: build it again (npm ci && npm run build in web/) and commit it with the sources');
  process.exit(1);
}
console.log(`web/dist: is what the sources give, ${bytes} bytes`);
