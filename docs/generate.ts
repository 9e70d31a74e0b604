/**
 * Writes the generated pages of the documentation. With `--check`, writes nothing, names the pages that are not
 * current, and ends with 1 when there are any.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pages, pageText } from './pages.ts';

const check = process.argv.includes('--check');
const stale = Object.keys(pages).filter((path) => pageText(path) !== currentText(path));
for (const path of stale) {
  if (!check) write(path);
  console.log(`${check ? 'not current' : 'written'}: docs/${path}`);
}
if (check && stale.length > 0) {
  console.log('run `npm run docs`');
  process.exitCode = 1;
}

function currentText(path: string): string | undefined {
  try {
    return readFileSync(join(import.meta.dirname, path), 'utf8');
  } catch {
    return undefined;
  }
}

function write(path: string): void {
  const file = join(import.meta.dirname, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, pageText(path));
}
