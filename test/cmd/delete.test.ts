import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type Catalog, openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { restic } from '../kit/restic.ts';
import { type Home, home, inside, password } from './kit.ts';

/** A home with this many backups, oldest first. */
async function withBackups(t: TestContext, number: number) {
  const at = await home(t);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const ids: string[] = [];
  for (let count = 0; count < number; count++) {
    await writeFile(join(at.data, 'one.txt'), `${count}\n`);
    ids.push(JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup);
  }
  const judge = await restic(t, at.repository, password);
  return { at, ids, catalog: await catalogOf(t, at), snapshots: () => snapshotIds(judge), judge };
}

async function catalogOf(t: TestContext, { folder }: Home): Promise<Catalog> {
  const catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  t.after(() => catalog[Symbol.asyncDispose]());
  return catalog;
}

async function snapshotIds(judge: Awaited<ReturnType<typeof restic>>): Promise<string[]> {
  const listed = JSON.parse((await judge(['snapshots', '--json'])).stdout) as { id: string }[] | null;
  return (listed ?? []).map(({ id }) => id).sort();
}

test('delete asks, takes what was named and nothing else, and says what became of each', async (t) => {
  const { at, ids, catalog, snapshots, judge } = await withBackups(t, 3);
  const [first, second, newest] = ids as [string, string, string];
  assert.equal((await at.inside('delete', first)).code, 3, 'nobody can be asked');
  const person = Object.assign(Readable.from(['no\n']), { isTTY: true });
  const declined = await inside(['delete', first], { cwd: at.folder, stdin: person });
  assert.deepEqual([declined.code, (await snapshots()).length], [130, 3], declined.stderr);
  assert.match(declined.stderr, /Delete 1 backup for good\?/);

  const ambiguous = await at.inside('delete', second, '01', '--auto-approve');
  assert.deepEqual([ambiguous.code, (await snapshots()).length], [5, 3], 'one part that may mean others stops all');
  assert.match(ambiguous.stderr, /BACKUP_AMBIGUOUS/);
  const last = await at.inside('delete', newest, '--auto-approve');
  assert.deepEqual([last.code, (await snapshots()).length], [6, 3]);
  assert.match(last.stderr, /newest good backup of plan docs-daily.*--even-the-last/s);
  assert.doesNotMatch(last.stderr, /tidemark cancel/, 'no restore is in its way');

  const some = await at.inside('delete', newest, first, '--auto-approve', '--json');
  assert.equal(some.code, 4, some.stderr);
  assert.deepEqual(
    JSON.parse(some.stdout).backups.map((one: { backup: string; deleted: boolean }) => [one.backup, one.deleted]),
    [
      [first, true],
      [newest, false],
    ],
  );
  const left = (await catalog.backups.list()).map(({ id, snapshot }) => ({ id, snapshot }));
  assert.deepEqual(
    left.map(({ id }) => id),
    [newest, second],
  );
  assert.deepEqual(await snapshots(), left.map(({ snapshot }) => snapshot).sort());
  assert.match((await at.inside('events')).stdout, new RegExp(`backup.deleted.*${first}`));
  assert.equal((await at.inside('delete', newest, second, '--auto-approve', '--even-the-last')).code, 0);
  assert.deepEqual(await snapshots(), []);
  await judge(['check', '--read-data']);
});

test('what a restore is to read stays until the restore has ended', async (t) => {
  const { at, ids, catalog, snapshots } = await withBackups(t, 2);
  const [old] = ids as [string];
  const { uses, ...plan } = await queuedRestore(at, catalog, old);
  const refused = await at.inside('delete', old, '--auto-approve', '--even-the-last');
  assert.deepEqual([refused.code, (await snapshots()).length], [6, 2], refused.stderr);
  assert.match(refused.stderr, new RegExp(`BACKUP_NEEDED.*job ${plan.id}.*hint: .*tidemark cancel JOB`, 's'));
  assert.doesNotMatch(refused.stderr, /even-the-last/, 'it was given');
  assert.ok(uses.some(({ thing, mode }) => thing.startsWith('copy:') && mode === 'read'));
  await at.inside('cancel', plan.id);
  assert.equal((await at.inside('delete', old, '--auto-approve')).code, 0);
});

/** A restore of a backup that waits; nobody runs it. */
async function queuedRestore(at: Home, catalog: Catalog, backup: string) {
  const args = ['restore', 'docs', '--backup', backup, '--into', './queued'];
  assert.equal((await at.inside(...args)).code, 0);
  const [done] = await catalog.jobs.list({ kind: 'restore' });
  const { kind, trigger, source, destination, request, uses } = done!;
  return catalog.jobs.add({ kind, trigger, source, destination, request, uses, attempts: 1 });
}

test('a restore of what is being deleted says so, and names the nearest others', async (t) => {
  const { at, ids, catalog } = await withBackups(t, 3);
  const [before, middle, after] = ids as [string, string, string];
  assert.equal(await catalog.backups.expire(await catalog.backups.get(middle)), undefined);
  const asked = await at.inside('restore', 'docs', '--backup', middle, '--into', './out');
  assert.equal(asked.code, 5, asked.stderr);
  assert.match(asked.stderr, new RegExp(`is being deleted since.*before: .*${before}.*after: .*${after}`, 's'));
  assert.match((await at.inside('backups')).stdout, new RegExp(`${middle}.*being deleted`));
  const newest = JSON.parse((await at.inside('restore', 'docs', '--into', './out', '--json')).stdout);
  assert.equal(newest.backup, after);
});

test('a restore that was planned before its backup was deleted restores nothing else', async (t) => {
  const { at, ids, catalog } = await withBackups(t, 2);
  const planned = await queuedRestore(at, catalog, ids[0]!);
  await at.inside('cancel', planned.id);
  assert.equal((await at.inside('delete', ids[0]!, '--auto-approve')).code, 0);
  const { runRestore } = await import('../../core/operation/index.ts');
  const context = await operationContext(at, catalog);
  const run = { signal: new AbortController().signal, progress: { add() {}, expect() {}, step() {} } };
  await assert.rejects(runRestore(context, planned.request as never, run), (error: Error & { hint: string }) => {
    assert.match(error.message, /is gone since this restore was planned/);
    assert.match(error.hint, new RegExp(ids[1]!));
    return true;
  });
});

async function operationContext(at: Home, catalog: Catalog) {
  const { drivers } = await import('../../drivers/index.ts');
  const { makeSecretResolver } = await import('../../core/config/index.ts');
  const process_ = { host: 'testhost', user: 'tester', pid: process.pid, alive: () => true, threads: 1 };
  const secret = makeSecretResolver({ env: {} });
  const fate = () => 'alive' as const;
  return { catalog, drivers, secret, clock: systemClock, fate, version: '0', process: process_, at };
}

test('what a crash left half deleted is finished by whoever deletes it again', async (t) => {
  const { at, ids, catalog, snapshots, judge } = await withBackups(t, 3);
  const [marked, gone] = (await Promise.all(ids.map((id) => catalog.backups.get(id)))) as [
    Awaited<ReturnType<Catalog['backups']['get']>>,
    Awaited<ReturnType<Catalog['backups']['get']>>,
  ];
  for (const one of [marked, gone]) assert.equal(await catalog.backups.expire(one), undefined);
  await judge(['forget', gone.snapshot]);
  assert.equal((await at.inside('delete', marked.id, gone.id, '--auto-approve')).code, 0);
  assert.deepEqual([(await catalog.backups.list()).map(({ id }) => id), (await snapshots()).length], [[ids[2]], 1]);
});

test('an import that had read a backup before it was deleted does not bring it back', async (t) => {
  const { at, ids, catalog, snapshots } = await withBackups(t, 2);
  const { importBackups } = await import('../../core/operation/index.ts');
  const context = await operationContext(at, catalog);
  let deleted = false;
  const takeStock: Catalog['backups']['takeStock'] = async (destination, stock) => {
    if (!deleted) assert.equal((await at.inside('delete', ids[0]!, '--auto-approve')).code, 0);
    deleted = true;
    return catalog.backups.takeStock(destination, stock);
  };
  const watched = { ...catalog, backups: { ...catalog.backups, takeStock } } as Catalog;
  const destination = (await catalog.state.read()).resources.get('destinations.disk')!;
  const run = { signal: new AbortController().signal, progress: { add() {}, expect() {}, step() {} } };
  const { found } = await importBackups({ ...context, catalog: watched }, destination, run);
  assert.deepEqual(
    [found, (await catalog.backups.list()).map(({ id }) => id), (await snapshots()).length],
    [1, [ids[1]], 1],
  );
});
