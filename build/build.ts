/** `npm run build`: makes `dist`. A start meanwhile finds the old one, none, or the new one, and never a part. */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { openBundle } from './bundle.ts';
import { noticesOf } from './notices.ts';
import { recordOf } from './record.ts';

const root = join(import.meta.dirname, '..');
/** What decides how it is built, beside the files that go in. */
const settings = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json', 'tsconfig.json'];
const program = ['build', 'bundle', 'notices', 'record', 'checkout'].map((name) => `build/${name}.ts`);
const attempts = 3;

const dist = join(root, 'dist');
const [fresh, old] = [`${dist}-${process.pid}`, `${dist}-${process.pid}-old`];
try {
  await buildInto(fresh);
  rmSync(old, { recursive: true, force: true });
  try {
    renameSync(dist, old);
  } catch {} // the first build
  renameSync(fresh, dist);
} finally {
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
}

async function buildInto(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const changed = await buildOnce(folder);
    if (changed.length === 0) return;
    if (attempt === attempts) throw new Error(`these files change while they are built: ${changed.slice(0, 5)}`);
  }
}

/** Gives the files that may have changed since it began, by the clock of the file system: the record would be a lie. */
async function buildOnce(folder: string): Promise<string[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const beganMs = statSync(folder).ctimeMs;
  await using bundle = await openBundle(root);
  const { output } = await bundle.build.write({ ...bundle.output, dir: folder });
  const read = (await bundle.build.watchFiles).filter(isAbsolute).map((path) => relative(root, path));
  writeFileSync(join(folder, 'NOTICES.txt'), noticesOf(root, read));
  const sources = [...new Set([...read, ...settings, ...program])].filter((path) => existsSync(join(root, path)));
  const made = output.map(({ fileName }) => fileName).filter((name) => name.endsWith('.js'));
  const text = recordOf([
    ...sources.sort().map((path) => [path, join(root, path)] as const),
    ...made.map((name) => [`dist/${name}`, join(folder, name)] as const),
  ]);
  writeFileSync(join(folder, 'record.txt'), text);
  return sources.filter((path) => statSync(join(root, path)).ctimeMs >= beganMs);
}
