import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Puts Kysely's 262 files into one for the package: to find and open them is most of what a verb's start takes. Each file is a
 * function of its own, run when it is first required, as Node does it; its license stands at the top.
 */
const require = createRequire(import.meta.url);
const entry = require.resolve('kysely');
const license = readFileSync(join(dirname(entry), '../../LICENSE'), 'utf8').replaceAll('*/', '* /');
const target = join(import.meta.dirname, '../dist/core/catalog/kysely-joined.cjs');

const relative = /require\("(\.[^"]+)"\)/g;
const files: string[] = [];
gather(entry);

const modules = files.map((file) => `(module, exports) => {${numbered(file)}\n}`);
const run = `const made = [];
function load(at) {
  if (made[at] === undefined) {
    made[at] = { exports: {} };
    modules[at](made[at], made[at].exports);
  }
  return made[at].exports;
}
module.exports = load(0);
`;
writeFileSync(target, `/*\n${license}*/\nconst modules = [${modules.join(',\n')}];\n${run}`);

function gather(file: string): void {
  if (files.includes(file)) return;
  files.push(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(relative)) gather(resolved(file, name!));
}

function numbered(file: string): string {
  return readFileSync(file, 'utf8').replace(
    relative,
    (_, name: string) => `load(${files.indexOf(resolved(file, name))})`,
  );
}

function resolved(file: string, name: string): string {
  return require.resolve(join(dirname(file), name));
}
