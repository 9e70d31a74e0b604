import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Store } from '../../../../core/driver/index.ts';
import { TidemarkError } from '../../../../core/error.ts';
import { Repository } from '../../../../core/repository/index.ts';
import { run } from '../../../kit/process.ts';
import { RecordingStore } from '../../../kit/recording-store.ts';
import { restic } from '../../../kit/restic.ts';
import { type Share, stepsOf } from '../../../kit/share.ts';
import { tempFolder } from '../../../kit/temp.ts';
import type { Death } from '../dying-store.ts';
import {
  coded,
  localStore,
  newPlace,
  openOptions,
  type Place,
  password,
  readBackup,
  readContent,
  reopen,
} from '../repository-kit.ts';
import { backUp, bytesOf, type Files, forget, names, plan, prune, storedBytes, thorough } from './prune-kit.ts';

/** A child mostly waits. */
const atOnce = 4;
const child = join(import.meta.dirname, 'prune-child.ts');
const kept: Files = { c: 'c', d: 'd' };
const later: Files = { d: 'd', e: 'e' };

/** Something is ripe, something is to be repacked and marked, and an old pack is in no index. */
async function manyThings(t: TestContext): Promise<{ place: Place; snapshots: Record<string, Files> }> {
  const place = await newPlace(t);
  const { store } = place;
  const first = await backUp(place.repository, { a: 'a', b: 'b', c: 'c' });
  const snapshots = { [await backUp(await reopen(store), kept)]: kept };
  await forget(store, first);
  await prune(store);
  const second = await backUp(await reopen(store), { d: 'd', e: 'e', f: 'f' });
  snapshots[await backUp(await reopen(store), later)] = later;
  await forget(store, second);
  const indexBefore = await names(store, 'index/');
  await forget(store, await backUp(await reopen(store), { x: 'x' }));
  await store.delete((await names(store, 'index/')).filter((name) => !indexBefore.includes(name)));
  return { place, snapshots };
}

/** Tests of both kinds of prune, killed at each of their changes, or at a share of them. */
export function testDeaths(share: Share): void {
  for (const how of ['marks', 'now'] as const) {
    test(`a prune (${how}) killed at any of its changes leaves a whole repository, and the next ones end the work`, async (t) => {
      const { place, snapshots } = await manyThings(t);
      const die = await diesFrom(t, place.folder, how, snapshots);
      assert.equal(
        await die({ at: 1000, when: 'after' }),
        false,
        'whole, and what Node compiled is kept for the next ones',
      );
      const { first, step } = stepsOf(t, share);
      let deaths = 0;
      for (let next = first, ended = false; !ended; next += atOnce * step) {
        const died = await Promise.all(Array.from({ length: atOnce }, (_, one) => die(deathOf(next + one * step))));
        ended = died.includes(false);
        deaths += died.filter(Boolean).length;
      }
      t.diagnostic(`${deaths} deaths`);
      assert(deaths >= (share === 'all' ? 16 : 5), `${deaths} deaths`);
    });
  }

  test('a disk that is full from any write on stops a prune and hurts nothing', async (t) => {
    const { place, snapshots } = await manyThings(t);
    const { first, step } = stepsOf(t, share);
    for (const how of ['marks', 'now'] as const) {
      for (let at = 1 + first, ended = false; !ended; at += step) {
        ended = !(await fills(t, place, at, how, snapshots));
      }
    }
  });
}

/** Before a change the store is as it was after the one before it. */
function deathOf(number: number): Death {
  if (number === 0) return { at: 1, when: 'before' };
  return { at: (number + 1) >> 1, when: number % 2 === 1 ? 'half' : 'after' };
}

/** False when the prune ended before it came to that put. */
async function fills(
  t: TestContext,
  place: Place,
  at: number,
  how: 'marks' | 'now',
  snapshots: Readonly<Record<string, Files>>,
): Promise<boolean> {
  const folder = join(await tempFolder(t), 'repository');
  await cp(place.folder, folder, { recursive: true });
  const store = await localStore(folder);
  const outcome = await prune(new FullStore(store, at), { ...thorough, now: how === 'now' }).catch((error) => error);
  const failed = outcome instanceof Error;
  if (failed) coded('DESTINATION_FULL')(outcome);
  const program = await restic(t, folder, password);
  await program(['check', '--read-data', '--no-lock']);
  await assertReads(await reopen(store), snapshots, `${how} ${at}`);
  await finish(store, await reopen(store), `${how} ${at}`);
  return failed;
}

/** From the put that is counted `at` on there is no room. */
class FullStore extends RecordingStore {
  #left: number;

  constructor(inner: Store, at: number) {
    super(inner);
    this.#left = at;
  }

  override async put(...args: Parameters<RecordingStore['put']>): Promise<void> {
    this.#left -= 1;
    if (this.#left <= 0) throw new TidemarkError('DESTINATION_FULL', 'no space left');
    await super.put(...args);
  }
}

/** Lets a prune on a copy die and looks at what it left. False when it ended before it came to that change. */
async function diesFrom(t: TestContext, from: string, how: string, snapshots: Readonly<Record<string, Files>>) {
  const env = { NODE_COMPILE_CACHE: await tempFolder(t) };
  return async (death: Death): Promise<boolean> => {
    const what = `${how}, ${death.when} change ${death.at}`;
    const folder = join(await tempFolder(t), 'repository');
    await cp(from, folder, { recursive: true });
    const ran = await run(process.execPath, [child, folder, `${death.at}`, death.when, how], { env });
    const program = await restic(t, folder, password);
    const { stdout } = await program(['check', '--read-data', '--no-lock']);
    assert.match(stdout, /no errors were found/, what);
    const store = await localStore(folder);
    const survivor = await Repository.open(openOptions(store, { processAlive: (pid) => pid === process.pid }));
    await assertReads(survivor, snapshots, what);
    await finish(store, survivor, what);
    await assertReads(await reopen(store), snapshots, what);
    if (ran.stdout.includes('done')) return false;
    assert.equal(ran.signal, 'SIGKILL', `${what}: ${ran.stderr}`);
    return true;
  };
}

/** With a few more prunes nothing is left but what is needed. */
async function finish(store: Place['store'], survivor: Repository, what: string): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await prune(store, thorough, survivor);
    if ((await names(store, 'marks/')).length === 0) break;
  }
  assert.deepEqual([await names(store, 'marks/'), await names(store, 'locks/')], [[], []], what);
  const { usedBytes } = await plan(store);
  const bytes = await storedBytes(store);
  assert(bytes < usedBytes + 2500, `${what}: ${bytes} bytes for ${usedBytes}`);
}

async function assertReads(
  repository: Repository,
  snapshots: Readonly<Record<string, Files>>,
  what: string,
): Promise<void> {
  for (const [id, files] of Object.entries(snapshots)) {
    await using backup = await readBackup(repository, id);
    for (const node of await backup.tree(backup.rootTree)) {
      const [file] = await backup.tree(node.subtree!);
      assert(bytesOf(files[node.name]!).equals(await readContent(backup, file!.content!)), `${what}: ${node.name}`);
    }
  }
}
