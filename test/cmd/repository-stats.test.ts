import assert from 'node:assert/strict';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Repository, type RepositoryStats } from '../../core/repository/index.ts';
import { Secret } from '../../core/secret.ts';
import { mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { localStore, noSignal, openOptions, randomBytes } from '../core/repository/repository-kit.ts';
import { type Restic, restic } from '../kit/restic.ts';
import { type Home, home, password, yamlFor } from './kit.ts';

type Told = RepositoryStats & { readonly code: number };

async function stats(at: Home): Promise<Told> {
  const { code, stdout, stderr } = await at.inside('repository', 'stats', 'disk', '--json');
  const value = JSON.parse(stdout);
  assert.deepEqual(mismatches(value, outputs['repository stats'] as Shape), [], stdout + stderr);
  return { code, ...value };
}

/** Two plans of one folder and another, and a snapshot of restic; words that compress, and bytes that do not. */
async function threeKinds(t: TestContext): Promise<{ at: Home; stock: Restic }> {
  const at = await home(t);
  const other = join(at.folder, 'other');
  await mkdir(other);
  await writeFile(join(other, 'more.bin'), randomBytes('more', 500_000)); // shorter than restic cuts, at whatever places it cuts in this repository
  await writeFile(join(at.data, 'large.bin'), randomBytes('large', 1_500_000));
  await writeFile(join(at.data, 'words.txt'), 'the same again and again. '.repeat(20_000));
  const both = `  all: { driver: files, paths: [${at.data}, ${other}] }\ndestinations:`;
  const plan = '  all-daily: { source: all, destinations: [disk], manual: true }\ndaemon:';
  await at.write(yamlFor(at.folder).replace('destinations:', both).replace('daemon:', plan));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  for (const plan of ['docs-daily', 'all-daily', 'all-daily']) assert.equal((await at.inside('backup', plan)).code, 0);
  const stock = await restic(t, at.repository, password);
  await writeFile(join(other, 'late.bin'), randomBytes('late', 400_000));
  await stock(['backup', other]);
  return { at, stock };
}

test('sizes are those of restic and of the disk, and each plan is told what it shares', async (t) => {
  const { at, stock } = await threeKinds(t);
  const told = await stats(at);
  assert.deepEqual([told.code, told.verdict, told.backups, told.foreignBackups], [0, 'whole', 4, 1]);
  await agreesWithRestic(told, stock);
  const sizes = await Promise.all((await filesIn(at.repository, 'data')).map(async (path) => (await stat(path)).size));
  assert.deepEqual(told.packs, { count: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) });

  const byName = new Map(told.plans.map((one) => [one.name, one]));
  const [docs, all, foreign] = ['docs-daily', 'all-daily', undefined].map((name) => byName.get(name)!);
  assert.deepEqual([docs!.backups, all!.backups, foreign!.backups, told.plans.length], [1, 2, 1, 3]);
  for (const { storedBytes, uniqueBytes, sharedBytes } of told.plans)
    assert.equal(storedBytes, uniqueBytes + sharedBytes);
  assert(docs!.sharedBytes > 1_500_000 && docs!.uniqueBytes < 20_000, JSON.stringify(docs));
  assert(all!.sharedBytes > 2_000_000 && all!.uniqueBytes < 20_000, JSON.stringify(all));
  assert(foreign!.sharedBytes > 500_000 && foreign!.sharedBytes < 510_000, JSON.stringify(foreign));
  assert(foreign!.uniqueBytes > 400_000 && foreign!.uniqueBytes < 410_000, JSON.stringify(foreign));
  assert.deepEqual(
    told.types.map(({ name = 'none', backups }) => `${name} ${backups}`),
    ['snapshot 3', 'none 1'],
  );
  const { stdout } = await at.inside('repository', 'stats', 'disk');
  assert.match(stdout, /PLAN +BACKUPS +FILES +STORED +UNIQUE +SHARED\n[\s\S]*docs-daily +1 [\s\S]*\(restic\) +1 /);
  assert.match(stdout, /disk: 4 backups, 1 of them by other programs\n[\s\S]*\nno waste|\ndisk: no waste\n/);
});

/** Of what is needed, and of the files of all backups. */
async function agreesWithRestic(told: RepositoryStats, stock: Restic): Promise<void> {
  const raw = JSON.parse((await stock(['stats', '--mode', 'raw-data', '--json'])).stdout);
  const [blobs, stored, plain] = (['blobs', 'storedBytes', 'plainBytes'] as const).map(
    (field) => told.contents[field] + told.folders[field],
  );
  assert.deepEqual([blobs, stored], [raw.total_blob_count, raw.total_size]);
  if (raw.total_uncompressed_size !== undefined) assert.equal(plain! + 32 * blobs!, raw.total_uncompressed_size);
  const whole = JSON.parse((await stock(['stats', '--mode', 'restore-size', '--json'])).stdout);
  assert.equal(told.logicalBytes, whole.total_size);
  assert.equal(told.deduplicationRatio, told.logicalBytes! / told.contents.plainBytes);
  assert.equal(told.compressionRatio, plain! / stored!);
}

test('waste is what a prune frees, also while it waits for its time', async (t) => {
  const { at, stock } = await threeKinds(t);
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  const older = backups.filter(({ plan }: { plan: string }) => plan === 'all-daily')[1];
  const snapshots: { id: string; tags?: string[] }[] = JSON.parse((await stock(['snapshots', '--json'])).stdout);
  await stock(['forget', snapshots.find(({ tags }) => tags === undefined)!.id]);
  assert.equal((await at.inside('delete', older.id, '--auto-approve')).code, 0);
  const before = await stats(at);
  assert(before.waste!.bytes > 400_000, JSON.stringify(before.waste));
  assert.deepEqual([before.waste!.markedBytes, before.waste!.isWritten], [0, false]);
  const store = await localStore(at.repository);
  const repository = await Repository.open({ ...openOptions(store), password: new Secret(password) });
  const work = { threads: 1, progress: { add() {}, expect() {}, step() {} }, signal: noSignal };
  const prune = async (): Promise<void> => {
    await using lock = await repository.lock('shared', noSignal, 'prune');
    const options = { maxUnused: { bytes: 0 }, graceMs: 0, now: false };
    assert.equal((await stats(at)).waste!.isWritten, true);
    await repository.prune(await repository.planPrune(lock, options, work), work);
  };
  await prune();
  const marked = await stats(at);
  assert(marked.waste!.markedBytes >= before.waste!.bytes, JSON.stringify(marked.waste));
  assert.equal(marked.waste!.bytes, marked.waste!.markedBytes);
  await prune();
  const after = await stats(at);
  assert.deepEqual([after.waste!.bytes, after.waste!.wholePacks.count], [0, 0]);
  const freed = before.packs.bytes - after.packs.bytes;
  assert(Math.abs(freed - before.waste!.bytes) < 1000, `${freed} of ${before.waste!.bytes}`);
  await agreesWithRestic(after, stock);
});

test('what is damaged or gone is named and not counted, and nothing is said of what rests on it', async (t) => {
  const { at } = await threeKinds(t);
  const whole = await stats(at);
  const hurt = async (what: string, does: () => Promise<() => Promise<void>>, unseen: RegExp) => {
    const mend = await does();
    const told = await stats(at);
    assert.deepEqual([told.code, told.verdict], [4, 'incomplete'], what);
    assert.match(told.unseen.join('\n'), unseen, what);
    for (const field of ['waste', 'logicalBytes', 'compressionRatio', 'deduplicationRatio'] as const)
      assert.equal(told[field], undefined, `${what}: ${field}`);
    for (const plan of told.plans) {
      const before = whole.plans.find(({ name }) => name === plan.name)!;
      if (plan.isWhole && plan.backups === before.backups) assert.equal(plan.storedBytes, before.storedBytes, what);
      else assert(plan.storedBytes <= before.storedBytes, what);
    }
    const [now, then] = [told, whole].map(({ contents, folders }) => contents.storedBytes + folders.storedBytes);
    assert(now! < then!, what);
    assert.match(
      (await at.inside('repository', 'stats', 'disk')).stdout,
      /not everything is counted: .*\nhint: /,
      what,
    );
    await mend();
  };
  const flipped = async (path: string, offset?: number) => {
    await flip(path, offset);
    return () => flip(path, offset);
  };
  const allFlipped = async (paths: readonly string[]) => {
    const mends = await Promise.all(paths.map((path) => flipped(path, 20)));
    return async () => void (await Promise.all(mends.map((mend) => mend())));
  };
  const aside = async (path: string) => {
    await rename(path, join(at.folder, 'aside'));
    return () => rename(join(at.folder, 'aside'), path);
  };
  const packs = await Promise.all(
    (await filesIn(at.repository, 'data')).map(async (path) => ({ path, size: (await stat(path)).size })),
  );
  const largest = packs.toSorted((a, b) => b.size - a.size)[0]!.path;
  const small = packs.filter(({ size }) => size < 100_000).map(({ path }) => path); // with all trees
  const [index] = await filesIn(at.repository, 'index');
  const [snapshot] = await filesIn(at.repository, 'snapshots');
  await hurt('a pack is gone', () => aside(largest), /gone or cut short/);
  await hurt('an index file is damaged', () => flipped(index!), /^index\/[0-9a-f]{64} is damaged/);
  await hurt('a snapshot is damaged', () => flipped(snapshot!), /^snapshots\/[0-9a-f]{64} is damaged/);
  await hurt('a tree is damaged', () => allFlipped(small), /^backups of .*is damaged/);
  assert.deepEqual(await stats(at), whole);
  await writeFile(join(at.repository, 'keys', '0'.repeat(64)), '{}');
  await writeFile(join(at.repository, 'locks', '0'.repeat(64)), 'x');
  await mkdir(join(at.repository, 'damaged'));
  await writeFile(join(at.repository, 'damaged', 'x'), '12345');
  const odd = await at.inside('repository', 'stats', 'disk', '--json');
  assert.equal(JSON.parse(odd.stdout).error?.code, 'REPOSITORY_CORRUPT', odd.stdout); // that lock keeps everybody out
  await rm(join(at.repository, 'locks', '0'.repeat(64)));
  const { keys, setAside, verdict } = await stats(at);
  assert.deepEqual([keys.damaged, setAside, verdict], [1, { objects: 1, bytes: 5 }, 'whole']);
});
