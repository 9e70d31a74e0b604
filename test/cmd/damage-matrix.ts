import assert from 'node:assert/strict';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { flip } from '../core/repository/check/check-kit.ts';
import { runOk } from '../kit/process.ts';
import { type Share, stepsOf } from '../kit/share.ts';
import { bytesOf, type DamagedHome, damagedHome, kinds, type ObjectKind } from './damaged-home.ts';
import type { Told } from './kit.ts';

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

type HowDamaged = keyof typeof damages;
const pairs = kinds.flatMap((object) => Object.keys(damages).map((how) => [object, how as HowDamaged] as const));

/** Every damage to every kind of object, or a share of these pairs, met by every verb. */
export function testDamages(share: Share): void {
  test('whatever is damaged, each verb names it and what is whole, and none crashes, restores what is wrong, or calls good what is not', async (t) => {
    const at = await damagedHome(t);
    const { first, step } = stepsOf(t, share);
    for (const [object, how] of pairs.filter((_, number) => number % step === first))
      await t.test(`${object} ${how}`, () => meet(at, object, how));
  });
}

/** What a verb met, and what came of it. */
interface Cell {
  readonly at: DamagedHome;
  readonly object: ObjectKind;
  readonly how: HowDamaged;
  /** Parts of names by which a message may call what is damaged. */
  readonly names: readonly string[];
  /** The backups of which a restore brought all, before anything else was done. */
  readonly whole: Set<string>;
}

async function meet(at: DamagedHome, object: ObjectKind, how: HowDamaged): Promise<void> {
  const { path, other } = at.objects[object];
  const damage = async () => {
    await at.fresh();
    await damages[how](join(at.repository, path), join(at.repository, other));
  };
  const hurt = [path, ...(how === 'swapped' ? [other] : [])];
  const cell: Cell = { at, object, how, names: namesOf(at, hurt), whole: new Set() };
  await damage();
  for (const id of at.ids) if (await restores(cell, id)) cell.whole.add(id);
  await looks(cell);
  for (const verb of ['backup', 'prune', 'repair'] as const) {
    await damage();
    await changes[verb](cell);
  }
}

/** A file by the first digits of its name; what lies in it by the backup that needs it. */
function namesOf(at: DamagedHome, hurt: readonly string[]): string[] {
  const own = hurt.map((path) => path.split('/').at(-1)!.slice(0, 8));
  const lost = at.ids.filter((id) => hurt.includes(`snapshots/${at.snapshots[id]}`));
  return [...own, ...lost, ...(hurt[0]!.startsWith('index/') ? ['is in no index', 'no index names'] : [])];
}

/** Ends as it says, and says which file is hurt and that the rest is not, or what of it. */
async function tidemark(cell: Cell, ...args: string[]): Promise<Told & { readonly text: string }> {
  const { at, object, how, names } = cell;
  const told = await at.inside(...args);
  const text = `${args.join(' ')}, ${object} ${how}: ${told.code}\n${told.stdout}${told.stderr}`;
  const said = told.stdout + told.stderr;
  assert.doesNotMatch(said, /\bBUG\b|\n\s+at .*\.ts:/, text);
  assert(said.split('error REPOSITORY_').length <= 2, `said twice: ${text}`);
  assert([0, 4, 5, 7, 10].includes(told.code), text);
  if (told.code === 0) return { ...told, text };
  assert(names.some((name) => said.includes(name)) || unnamed.test(said), `names nothing: ${text}`);
  assert.match(said, told.code === 4 ? saysDone : saysWhole, `does not say what is whole: ${text}`);
  return { ...told, text };
}

/** What a count leaves out, and a lock that was taken away. */
const unnamed =
  /not everything is counted: backups of|lock of .* was taken away|`tidemark events` names what|none of the 1 keys/;
const saysWhole =
  /of 2 backups whole|othing else is|No backup needs|Other backups do not|do not need it lose nothing|othing was (removed|deleted)|recovery kit/;
const saysDone =
  /restored \d|backups? found|not everything is counted|backups? deleted|left as it is|is good|set aside|was taken away/;

/** What comes back is right to the byte, and what does not is named. */
async function restores(cell: Cell, id: string): Promise<boolean> {
  const { at } = cell;
  const back = join(at.folder, 'back');
  const { code, stdout, stderr, text } = await tidemark(cell, 'restore', 'docs', '--backup', id, '--into', './back');
  const isNamed = (path: string) =>
    (stdout + stderr).matchAll(/^not restored: (\S+)/gm).some(([, named]) => path.startsWith(named!));
  const found = await bytesOf(join(back, at.data.slice(1)));
  await rm(back, { recursive: true, force: true });
  for (const [name, bytes] of at.contents[id]!) {
    const restored = found.get(name);
    if (restored !== undefined) assert(restored.equals(bytes), `${name} is another: ${text}`);
    else assert(code !== 0 && (code !== 4 || isNamed(join(at.data, name))), `${name} lacks: ${text}`);
  }
  return code === 0;
}

/** Verbs that change nothing. A check counts as whole what a restore brings, and calls good what stock restic does. */
async function looks(cell: Cell): Promise<void> {
  const { at, whole, object } = cell;
  await tidemark(cell, 'repository', 'stats', 'disk');
  const check = await tidemark(cell, 'repository', 'check', 'disk', '--read-all');
  const counted = /(\d) of 2 backups whole/.exec(check.stdout)?.[1];
  if (counted !== undefined) assert.equal(Number(counted), whole.size, check.text);
  for (const id of at.ids.filter((one) => counted !== undefined && !whole.has(one)))
    assert(check.stdout.includes(id), `${id} is not named: ${check.text}`);
  if (check.code === 0) {
    assert.equal(whole.size, 2, check.text);
    await runOk('restic', [...at.restic, 'check', '--read-data']).catch((error) =>
      assert.fail(`${check.text}${error}`),
    );
  }
  await at.freshCatalog();
  const known = await tidemark(cell, 'catalog', 'import', 'disk');
  if (known.code === 0) assert(whole.size > 0 || object === 'data pack', known.text);
}

const changes = { backup, prune, repair } as const;

/** What it says it stored is there. */
async function backup(cell: Cell): Promise<void> {
  const { at, object, how } = cell;
  const { code, stdout, text } = await tidemark(cell, 'backup', 'docs-daily', '--json');
  // What lies under a flipped bit is known to who reads it: a check.
  if (code !== 0 || (object.endsWith('pack') && ['flipped', 'swapped'].includes(how))) return;
  const made = JSON.parse(stdout).backup as string;
  at.contents[made] = at.contents[at.ids.at(-1)!]!;
  assert(await restores(cell, made), `the new backup does not restore: ${text}`);
}

/** What was whole is, or goes because its plan does not keep it. */
async function prune(cell: Cell): Promise<void> {
  const { code, text } = await tidemark(cell, 'prune', '--auto-approve');
  if (code === 10) return;
  for (const id of cell.whole) assert(await restores(cell, id), `${id} was whole: ${text}`);
}

/** What was whole is, and what the repair calls good is so by stock restic. */
async function repair(cell: Cell): Promise<void> {
  const { at } = cell;
  const { code, text } = await tidemark(cell, 'repository', 'repair', 'disk', '--auto-approve');
  if (code === 10) return;
  for (const id of cell.whole) assert(await restores(cell, id), `${id} was whole: ${text}`);
  if (code === 0)
    await runOk('restic', [...at.restic, 'check', '--read-data']).catch((error) => assert.fail(`${text}${error}`));
}
