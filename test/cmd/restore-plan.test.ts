import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { hasCode } from '../../core/error.ts';
import { type OperationContext, planRestore, runRestore } from '../../core/operation/index.ts';
import { Secret } from '../../core/secret.ts';
import { drivers } from '../../drivers/index.ts';
import { type Home, home, inside, password, yamlFor } from './kit.ts';

/** One source with a plan of all of it and, made later, one backup each of two parts of it. */
async function severalPlans(t: TestContext): Promise<Home & { ids: Record<'all' | 'one' | 'deep', string> }> {
  const at = await home(t);
  const parts = Object.entries({ one: 'one.txt', deep: 'deep' })
    .map(
      ([name, path]) =>
        `  ${name}: { source: docs, destinations: [disk], manual: true, include: [${at.data}/${path}] }\n`,
    )
    .join('');
  await at.write(yamlFor(at.folder).replace('daemon:', `${parts}daemon:`));
  const applied = await at.inside('apply', '--auto-approve');
  assert.equal(applied.code, 0, applied.stderr);
  const backUp = async (plan: string) =>
    JSON.parse((await at.inside('backup', plan, '--json')).stdout).backup as string;
  return { ...at, ids: { all: await backUp('docs-daily'), deep: await backUp('deep'), one: await backUp('one') } };
}

test('a newer backup of a plan of little does not hide the one of everything', async (t) => {
  const at = await severalPlans(t);
  const told = await at.inside('restore', 'docs', '--into', './out', '--json');
  const { backup, restorePlan, job } = JSON.parse(told.stdout);
  assert.equal(backup, at.ids.all, told.stdout);
  assert.deepEqual(job.request, restorePlan);
  const others = restorePlan.alternatives.map((one: { backup: { id: string } }) => one.backup.id);
  assert.deepEqual(others, [at.ids.one, at.ids.deep]);
  assert.ok(existsSync(join(at.folder, 'out', at.data, 'deep/er/two.bin')));

  const shown = await at.inside('restore', 'docs', '--into', './shown', '--only', `${at.data}/one.txt`);
  assert.match(shown.stderr, new RegExp(`^restoring \`docs\` from backup ${at.ids.one} \\(plan one, .*: the newest\n`));
  const narrowed = await at.inside('restore', 'docs', '--into', './deep', '--plan', 'deep', '--json');
  assert.equal(JSON.parse(narrowed.stdout).backup, at.ids.deep);
  const told2 = await at.inside('restore', 'docs', '--into', './told');
  assert.match(
    told2.stderr,
    /newest that holds all that is asked for\nnot chosen: .*newer, but it holds only \/.*one\.txt\n/,
  );
});

test('what no backup holds, nothing, and an unknown plan are errors, and nothing is written', async (t) => {
  const at = await severalPlans(t);
  const cases: [string[], number, RegExp][] = [
    [['--only', ''], 3, /^error USAGE: a pattern of what to restore is empty/],
    [
      ['--plan', 'one', '--only', '/no/such'],
      5,
      /holds nothing that matches \/no\/such[\s\S]*Plan `one` holds \/.*one\.txt/,
    ],
    [['--plan', 'on'], 5, /no backup of `docs` by plan `on`/],
    [['--plan', 'one', '--backup', at.ids.all], 5, /is one of plan `docs-daily`, not of `one`/],
  ];
  for (const [args, code, expected] of cases) {
    const told = await at.inside('restore', 'docs', '--into', './none', ...args);
    assert.deepEqual([told.code, existsSync(join(at.folder, 'none'))], [code, false], told.stderr);
    assert.match(told.stderr, expected);
  }
});

test('of several that are as good a person chooses, and without one the others are told', async (t) => {
  const at = await severalPlans(t);
  const removed = await at.inside('backups', '--json');
  const all = JSON.parse(removed.stdout).backups.find((one: { id: string }) => one.id === at.ids.all);
  await rm(join(at.repository, 'snapshots', all.snapshot));
  await at.inside('catalog', 'import', 'disk');

  const untold = await at.inside('restore', 'docs', '--into', './untold');
  assert.equal(untold.code, 0, untold.stderr);
  assert.match(
    untold.stderr,
    new RegExp(`${at.ids.one} .*of those that hold most[\\s\\S]*warning: not chosen: backup ${at.ids.deep}`),
  );
  const answered = (text: string, ...args: string[]) =>
    inside(['restore', 'docs', ...args], { cwd: at.folder, stdin: terminal(text) });
  const second = await answered('2\n', '--into', './second');
  assert.deepEqual([second.code, existsSync(join(at.folder, 'second', at.data, 'deep'))], [0, true], second.stderr);
  const neither = await answered('3\n', '--into', './third');
  assert.deepEqual([neither.code, existsSync(join(at.folder, 'third'))], [130, false]);
  await writeFile(join(at.data, 'one.txt'), 'lost\n');
  const inPlace = await answered('\nyes\n', '--into', 'docs', '--overwrite');
  assert.deepEqual([inPlace.code, await readFile(join(at.data, 'one.txt'), 'utf8')], [0, 'one\n'], inPlace.stderr);
});

test('a plan is executed as it stands: newer backups do not change it, and a backup that is gone ends it', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const first = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup;
  await using catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  const context = operationContext(catalog);
  const target = { folder: join(at.folder, 'out') };
  const options = { target, only: [], overwrite: true, verify: false, keepDamaged: false };
  const plan = await planRestore(context, { source: 'docs', ...options }, systemClock.now());
  await writeFile(join(at.data, 'one.txt'), 'later\n');
  await at.inside('backup', 'docs-daily');
  const run = { signal: new AbortController().signal, progress: { add() {}, expect() {}, step() {} } };
  assert.equal((await runRestore(context, plan, run)).backup, first);
  assert.equal(await readFile(join(target.folder, at.data, 'one.txt'), 'utf8'), 'one\n');

  await rm(join(at.repository, 'snapshots', plan.backup.snapshot));
  await assert.rejects(runRestore(context, plan, run), (error) => hasCode(error, 'BACKUP_NOT_FOUND'));
  await at.inside('catalog', 'import', 'disk');
  await assert.rejects(
    runRestore(context, plan, run),
    (error) => hasCode(error, 'BACKUP_NOT_FOUND') && /is gone since this restore was planned/.test(error.message),
  );
});

test('patterns that match nothing: all of them an error before anything is touched, some of them named and partial', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  for (const into of ['./none', 'docs']) {
    const only = ['--only', 'typo-*', `${at.data}/deep/no`, '--auto-approve', '--overwrite'];
    const nothing = await at.inside('restore', 'docs', '--into', into, ...only);
    assert.deepEqual([nothing.code, existsSync(join(at.folder, 'none'))], [3, false], nothing.stderr);
    assert.match(nothing.stderr, /error USAGE: nothing in the backup matches typo-\*, .*deep\/no/);
  }
  const some = await at.inside('restore', 'docs', '--into', './some', '--only', 'one.txt', 'typo-*', 'deep/f?');
  assert.equal(some.code, 4, some.stderr);
  assert.match(some.stderr, /^not restored: typo-\* \(absent\): nothing in the backup matches this pattern$/m);
  assert.match(some.stderr, /^not restored: deep\/f\? \(absent\)/m);
  assert.match(some.stdout, /restored 1 file, .*; 2 items not restored\n$/);
  assert.equal(await readFile(join(at.folder, 'some', at.data, 'one.txt'), 'utf8'), 'one\n');
});

test('a backup and its restore count the same: no folders, and not the manifest', async (t) => {
  const at = await home(t);
  await symlink('one.txt', join(at.data, 'link'));
  await link(join(at.data, 'one.txt'), join(at.data, 'deep/hard'));
  await mkdir(join(at.data, 'empty'));
  await at.inside('apply', '--auto-approve');
  const made = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  const shown = JSON.parse((await at.inside('show', made.backup, '--json')).stdout);
  const counted = { items: shown.items, bytes: shown.sizeBytes };
  assert.deepEqual(counted, { items: 4, bytes: 300_008 });
  assert.equal(made.job.result.items, 4);
  for (const args of [
    ['--into', './out'],
    ['--into', './again', '--verify'],
    ['--into', 'docs', '--overwrite'],
  ]) {
    const told = await at.inside('restore', 'docs', ...args, '--auto-approve', '--json');
    const { items, bytes } = JSON.parse(told.stdout).job.result;
    assert.deepEqual({ items, bytes }, counted, args.join(' '));
  }
});

function operationContext(catalog: OperationContext['catalog']): OperationContext {
  const process = { host: 'testhost', user: 'tester', pid: globalThis.process.pid, alive: () => true, threads: 2 };
  return {
    catalog,
    drivers,
    secret: async () => new Secret(password),
    clock: systemClock,
    fate: () => 'unknown',
    version: '0.0.0',
    process,
  };
}

function terminal(text: string) {
  return {
    isTTY: true,
    async *[Symbol.asyncIterator]() {
      yield text;
    },
  };
}
