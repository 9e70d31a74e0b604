/** `npm run build`: makes `dist`. What runs meanwhile finds its files: those of the build before stay until the next. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { openBundle, startFile } from './bundle.ts';
import { noticesOf } from './notices.ts';
import { lastLine, recordOf } from './record.ts';

const root = join(import.meta.dirname, '..');
/** What decides how it is built, beside the files that go in. */
const settings = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json', 'tsconfig.json'];
const program = ['build', 'bundle', 'notices', 'record', 'checkout'].map((name) => `build/${name}.ts`);
const attempts = 3;
/** Names for npm the files of the build before: they stay for what runs, and are no part of a package. */
const ignored = '.npmignore';

const dist = join(root, 'dist');
const fresh = `${dist}-${process.pid}`;
removeLeft();
try {
  publish(await buildInto(fresh));
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** What builds that were killed left. */
function removeLeft(): void {
  for (const name of readdirSync(root)) {
    const [, pid] = /^dist-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface Built {
  /** The paths of what went in, from the root, and the record of them. */
  readonly sources: readonly string[];
  readonly record: string;
  /** The names of what came out; an entry behind the files that it imports, and the start behind all. */
  readonly made: readonly string[];
}

async function buildInto(folder: string): Promise<Built> {
  for (let attempt = 1; ; attempt++) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const beganMs = statSync(folder).ctimeMs; // by the clock of the file system
    const built = await buildOnce(folder);
    // A change before the record was made is seen here, one behind it by whoever starts.
    const changed = built.sources.filter((path) => statSync(join(root, path)).ctimeMs >= beganMs);
    if (changed.length === 0) return built;
    if (attempt === attempts) throw new Error(`these files change while they are built: ${changed.slice(0, 5)}`);
  }
}

async function buildOnce(folder: string): Promise<Built> {
  await using bundle = await openBundle(root);
  const { output } = await bundle.build.write({ ...bundle.output, dir: folder });
  const read = (await bundle.build.watchFiles).filter(isAbsolute).map((path) => relative(root, path));
  writeFileSync(join(folder, 'NOTICES.txt'), noticesOf(root, read));
  const sources = [...new Set([...read, ...settings, ...program])]
    .filter((path) => existsSync(join(root, path)))
    .sort();
  const turn = (part: (typeof output)[number]) =>
    Number(part.type === 'chunk' && part.isEntry) + Number(part.fileName === startFile);
  const parts = output.toSorted((a, b) => turn(a) - turn(b));
  return { sources, record: recordOf(root, sources), made: ['NOTICES.txt', ...parts.map(({ fileName }) => fileName)] };
}

/** Only the record, which comes last, makes the files a build. */
function publish({ record, made }: Built): void {
  mkdirSync(dist, { recursive: true });
  const before = filesOfRecord();
  for (const name of made) renameSync(join(fresh, name), join(dist, name));
  const stale = before.filter((name) => !made.includes(name));
  writeFileSync(join(fresh, ignored), stale.map((name) => `/${name}\n`).join(''));
  renameSync(join(fresh, ignored), join(dist, ignored));
  const code = made.filter((name) => name.endsWith('.js')).map((name) => `dist/${name}`);
  writeFileSync(join(fresh, 'record.txt'), record + recordOf(root, code) + lastLine);
  renameSync(join(fresh, 'record.txt'), join(dist, 'record.txt'));
  const stays = new Set([...made, ...before, ignored, 'record.txt']);
  for (const name of readdirSync(dist)) {
    if (!stays.has(name)) rmSync(join(dist, name), { recursive: true, force: true });
  }
}

function filesOfRecord(): string[] {
  const file = join(dist, 'record.txt');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return [...text.matchAll(/ dist\/(.+)$/gm)].flatMap(([, name]) => [name!, `${name}.map`]);
}
