import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ran, run } from '../../../kit/process.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { newPlace } from '../repository-kit.ts';
import { backUp } from './backups.ts';
import { filesBelow, judgeOf } from './judge.ts';
import { type Work, type Works, works } from './works.ts';

/** Tests of each of these works, which take so many kills at least. */
export function testKills(some: Works, atLeast: number): void {
  for (const name of Object.keys(some)) {
    test(`${name}, killed at any change of a file, leaves a sound repository with all that was reported`, async (t) => {
      const kills = await killEverywhere(t, name, 'once');
      t.diagnostic(`${kills} kills`);
      assert(kills >= atLeast, `${kills} kills`);
    });
  }
}

/** A child mostly waits, for its lock to settle. */
const childrenAtOnce = 3;
const child = join(import.meta.dirname, 'child.ts');

/**
 * Kills the work at each of its changes of files, on a repository of its own each time. Gives how many kills it took.
 * `goOn`: whether to go on after every kill, or after one of those that left the same behind their temporary files.
 */
export async function killEverywhere(t: TestContext, name: string, goOn: 'always' | 'once'): Promise<number> {
  const work = works[name]!;
  const base = await baseOf(t, work);
  const folder = await tempFolder(t, 'kills');
  const judge = await judgeOf(t);
  // Node compiles the code of the children once. What a killed one compiled is lost, so the first one is not killed.
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const judged = new Set<string>();
  const kill = async (point: number): Promise<boolean> => {
    const repository = join(folder, `${point}`);
    const ran = await runOn(repository, base, [child, repository, name, `${point}`], env);
    assert(ran.signal === 'SIGKILL' || ran.code === 0, `${name} failed by itself at ${point}: ${ran.stderr}`);
    await judge.check(repository);
    const left = await shapeOf(base, repository);
    if (goOn === 'always' || !judged.has(left)) {
      judged.add(left);
      await judge.goOn(repository, [...work.base, ...ran.stdout.split('\n').filter(Boolean)]);
    }
    await rm(repository, { recursive: true });
    return ran.signal === 'SIGKILL';
  };
  assert.equal(await kill(Number.MAX_SAFE_INTEGER), false);
  let next = 0;
  let kills = 0;
  const killOn = async () => {
    while (await kill(next++)) kills += 1;
  };
  await Promise.all(Array.from({ length: childrenAtOnce }, killOn));
  return kills;
}

/** Runs Node on a new copy of a repository. The shell that copies it becomes Node. */
export function runOn(copy: string, base: string, args: readonly string[], env = {}): Promise<Ran> {
  const script = 'cp -a --reflink=auto "$0" "$1" && shift && exec "$@"';
  return run('sh', ['-c', script, base, copy, process.execPath, ...args], { env });
}

/** The folder of a repository with the backups that the work finds. */
export async function baseOf(t: TestContext, { base, goes = [] }: Work): Promise<string> {
  const { folder, repository } = await newPlace(t);
  for (const name of [...goes, ...base]) await backUp(repository, name);
  return folder;
}

/** What is gone and what came, by folder and size (in steps of `stepBytes`): the ids of what came are random. */
export async function shapeOf(base: string, folder: string, stepBytes = 1): Promise<string> {
  const [before, after] = [new Set(await filesBelow(base)), new Set(await filesBelow(folder))];
  const came = [...after.difference(before)].filter((path) => !path.includes('-tmp-'));
  const shapes = came.map(
    async (path) => `${path.split('/')[0]} ${Math.ceil((await stat(join(folder, path))).size / stepBytes)}`,
  );
  return JSON.stringify([...before.difference(after), ...(await Promise.all(shapes)).sort()]);
}
