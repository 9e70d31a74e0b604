import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { prune } from '../core/repository/prune/prune-kit.ts';
import { localStore, randomBytes, reopen } from '../core/repository/repository-kit.ts';
import { runOk } from '../kit/process.ts';
import { type Share, stepsOf } from '../kit/share.ts';
import { type Home, home, type Told } from './kit.ts';

type Damage = (path: string, other: string) => Promise<void>;

const damages = {
  truncated: async (path) => truncate(path, (await readFile(path)).length >> 1),
  flipped: (path) => flip(path),
  deleted: (path) => rm(path),
  swapped: async (path, other) => {
    const [one, two] = [await readFile(path), await readFile(other)];
    await writeFile(path, two);
    await writeFile(other, one);
  },
  emptied: (path) => truncate(path, 0),
} as const satisfies Record<string, Damage>;

/** Which file of each kind is damaged, and with which one it is swapped. */
const objects = {
  config: { kind: '', pick: (all: string[]) => all.filter((path) => path.endsWith('/config')), other: 'keys' },
  key: { kind: 'keys', pick: (all: string[]) => all },
  'data pack': { kind: 'data', pick: bySize },
  'tree pack': { kind: 'data', pick: (all: string[]) => bySize(all).then((sorted) => sorted.toReversed()) },
  index: { kind: 'index', pick: (all: string[]) => all },
  snapshot: { kind: 'snapshots', pick: (all: string[]) => all },
  lock: { kind: 'locks', pick: (all: string[]) => all, other: 'snapshots' },
  mark: { kind: 'marks', pick: (all: string[]) => all },
  pin: { kind: 'pins', pick: (all: string[]) => all, other: 'snapshots' },
} as const satisfies Record<
  string,
  { kind: string; pick: (all: string[]) => string[] | Promise<string[]>; other?: string }
>;

const verbs = {
  backup: ['backup', 'docs-daily'],
  restore: ['restore', 'docs', '--into', './back'],
  import: ['catalog', 'import', 'disk'],
  check: ['repository', 'check', 'disk', '--read-all'],
  repair: ['repository', 'repair', 'disk', '--dry-run'],
} as const;

type HowDamaged = keyof typeof damages;
const pairs = Object.keys(objects).flatMap((object) =>
  Object.keys(damages).map((how) => [object as keyof typeof objects, how as HowDamaged] as const),
);

/** Every damage to every kind of object, or a share of these pairs, met by every verb. */
export function testDamages(share: Share): void {
  test('whatever is damaged, no verb crashes, restores what is wrong, or calls good what is not', async (t) => {
    const at = await whole(t);
    const { first, step } = stepsOf(t, share);
    for (const [object, how] of pairs.filter((_, number) => number % step === first)) {
      await t.test(`${object} ${how}`, () => meet(at, object, how));
      await heal(at);
    }
  });
}

async function meet(at: Home, object: keyof typeof objects, how: HowDamaged): Promise<void> {
  const { kind, pick, ...rest } = objects[object];
  const [path, next] = await pick(await filesIn(at.repository, kind));
  const other = 'other' in rest ? (await filesIn(at.repository, rest.other))[0] : next;
  await damages[how](path!, other!);
  await cp(at.repository, `${at.folder}/damaged`, { recursive: true });
  for (const [verb, args] of Object.entries(verbs)) {
    const told = await at.inside(...args);
    const cell = `${verb}, ${object} ${how}: ${told.code}\n${told.stdout}${told.stderr}`;
    assert.doesNotMatch(told.stdout + told.stderr, /\bBUG\b|\n\s+at .*\.ts:/, cell);
    await judges[verb as keyof typeof verbs](at, told, cell);
    await rm(at.repository, { recursive: true });
    await cp(`${at.folder}/damaged`, at.repository, { recursive: true });
    await resetCatalog(at);
  }
}

const judges: Record<keyof typeof verbs, (at: Home, told: Told, cell: string) => Promise<void>> = {
  backup: async (at, { code }, cell) => {
    // What lies under a flipped bit is known to who reads it: a check. With a damaged key stock restic may not open.
    if (code !== 0 || /data pack flipped|key /.test(cell)) return;
    // Where two packs have the same, and one is lost, stock restic takes the lost one until a repair.
    if (!cell.includes('data pack')) return restoresWhole(at, cell);
    await judges.restore(at, { ...(await at.inside(...verbs.restore)), code: 0 }, cell);
  },
  restore: async (at, { code }, cell) => {
    const back = join(at.folder, 'back');
    await bytesAre(at, back, code === 0, cell);
    await rm(back, { recursive: true, force: true });
  },
  import: async () => {},
  check: async (at, { code }, cell) => {
    if (code === 0)
      await runOk('restic', [...resticOf(at), 'check', '--read-data']).catch((error) => assert.fail(`${cell}${error}`));
  },
  repair: async () => {},
};

async function whole(t: TestContext): Promise<Home> {
  const at = await home(t);
  const ok = async (...args: string[]) => {
    const told = await at.inside(...args);
    assert.equal(told.code, 0, `${args.join(' ')}: ${told.stdout}${told.stderr}`);
    return told.stdout;
  };
  await ok('apply', '--auto-approve');
  const ids: string[] = [];
  for (const name of ['one', 'two', 'three']) {
    await writeFile(join(at.data, `${name}.bin`), randomBytes(name, 300_000));
    ids.push(JSON.parse(await ok('backup', 'docs-daily', '--json')).backup);
    if (name === 'two') await rm(join(at.data, 'two.bin'));
  }
  await ok('delete', ids[1]!, '--auto-approve');
  await prune(await localStore(at.repository));
  await ok('pin', ids[0]!);
  await ok('key', 'add', 'disk', '--password', `\${file:${await otherPassword(at)}}`);
  const repository = await reopen(await localStore(at.repository));
  const lock = await repository.lock('shared', new AbortController().signal);
  t.after(() => lock[Symbol.asyncDispose]().catch(() => {})); // its folder is another one by then
  await cp(at.repository, `${at.folder}/whole`, { recursive: true });
  await cp(join(at.folder, 'catalog.db'), `${at.folder}/whole.db`);
  return at;
}

async function otherPassword(at: Home): Promise<string> {
  const path = join(at.folder, 'other');
  await writeFile(path, 'battery staple\n', { mode: 0o600 });
  return path;
}

async function resetCatalog(at: Home): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${end}`), { force: true });
  await cp(`${at.folder}/whole.db`, join(at.folder, 'catalog.db'));
}

async function heal(at: Home): Promise<void> {
  await rm(at.repository, { recursive: true });
  await rm(`${at.folder}/damaged`, { recursive: true, force: true });
  await cp(`${at.folder}/whole`, at.repository, { recursive: true });
}

function resticOf(at: Home): string[] {
  return ['--repo', at.repository, '--password-file', join(at.folder, 'password'), '--no-cache', '--no-lock'];
}

/** What a backup says it stored is there: stock restic brings it back. */
async function restoresWhole(at: Home, cell: string): Promise<void> {
  const target = join(at.folder, 'restic');
  await mkdir(target);
  const [before, after] = await Promise.all(
    [`${at.folder}/damaged`, at.repository].map((folder) => readdir(join(folder, 'snapshots'))),
  );
  const [made] = after!.filter((id) => !before!.includes(id));
  await runOk('restic', [...resticOf(at), 'restore', made!, '--target', target]).catch((error) =>
    assert.fail(`${cell}${error}`),
  );
  await bytesAre(at, join(target, at.data), true, cell);
  await rm(target, { recursive: true });
}

/** Every file that is there has the bytes of the source's; with `all`, none lacks. */
async function bytesAre(at: Home, folder: string, all: boolean, cell: string): Promise<void> {
  const wanted = await filesIn(at.data, '');
  const found = await readdir(folder, { recursive: true }).catch(() => []);
  for (const path of wanted) {
    const name = path.slice(at.data.length + 1);
    const below = found.find((one) => one === name || one.endsWith(`/${name}`));
    if (below === undefined) assert(!all, `${name} lacks: ${cell}`);
    else assert((await readFile(join(folder, below))).equals(await readFile(path)), `${name} is another: ${cell}`);
  }
}

async function bySize(paths: string[]): Promise<string[]> {
  const sized = await Promise.all(paths.map(async (path) => ({ path, size: (await readFile(path)).length })));
  return sized.sort((a, b) => b.size - a.size).map(({ path }) => path);
}
