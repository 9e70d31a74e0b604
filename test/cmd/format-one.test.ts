import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Repository } from '../../core/repository/index.ts';
import { cheapenKey } from '../core/repository/cheapen-key.ts';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { localStore, noSignal, openOptions } from '../core/repository/repository-kit.ts';
import { assertSameTrees } from '../kit/compare-trees.ts';
import { type Restic, restic } from '../kit/restic.ts';
import { type Home, home, password } from './kit.ts';

test('a repository of format 1 is applied with a warning, listed and restored from, and written to only after the upgrade', async (t) => {
  const { at, stock } = await oldRepository(t);
  const applied = await at.inside('apply', '--auto-approve');
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stderr, /warning.*format version 1.*restic -r PATH migrate upgrade_repo_v2/s);
  assert.match((await at.inside('apply')).stderr, /format version 1/); // an apply without changes looks, too
  await importsAndRestores(at, 2);

  const checked = await at.inside('repository', 'check', 'disk', '--read-all');
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  const before = await namesIn(at.repository);
  const refused = await at.inside('backup', 'docs-daily');
  const repair = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  const prune = await at.inside('prune', '--auto-approve');
  for (const { code, stdout, stderr } of [refused, repair, prune]) {
    assert.equal(code, 3, stdout + stderr);
    assert.match(stderr, /UNSUPPORTED: .*format version 1.*\n.*\n.*hint: .*migrate upgrade_repo_v2/);
  }
  assert.deepEqual(await namesIn(at.repository), before);
  await stock(['check', '--read-data']);

  const [command] = /restic -r PATH ([^`]+)/.exec(refused.stderr)!.slice(1);
  await stock(command!.split(' '));
  const upgraded = await at.inside('apply');
  assert.deepEqual([upgraded.code, /format version/.test(upgraded.stderr)], [0, false], upgraded.stderr);
  await writeFile(join(at.data, 'three.txt'), 'compressed, since it says the same again and again. '.repeat(2000));
  const { code, stderr } = await at.inside('backup', 'docs-daily');
  assert.equal(code, 0, stderr);
  await stock(['check', '--read-data']);
  await stock(['backup', at.data]);
  await importsAndRestores(at, 4);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
  await stock(['prune', '--repack-uncompressed']);
  await stock(['check', '--read-data']);
  await importsAndRestores(at, 4);
});

test('locks and keys of ours are understood in a repository of format 1', async (t) => {
  const { at, stock } = await oldRepository(t);
  await at.inside('apply', '--auto-approve');
  const repository = await Repository.open(openOptions(await localStore(at.repository)));
  for (const [kind, says] of [
    ['exclusive', /already locked exclusively by PID \d+ on test-host/],
    ['shared', /already locked by PID \d+ on test-host/],
  ] as const) {
    await using _lock = await repository.lock(kind, noSignal);
    await assert.rejects(stock(['prune']), says);
  }
  await stock(['prune']);
  await writeFile(join(at.folder, 'other'), 'battery staple');
  const added = await at.inside('key', 'add', 'disk', '--password', `\${file:${join(at.folder, 'other')}}`);
  assert.equal(added.code, 0, added.stderr);
  await (await restic(t, at.repository, 'battery staple'))(['check', '--read-data']);
});

/** As restic before 0.14 made them, with two snapshots of the data. */
test('what is damaged in a repository of format 1 is mended on the way that the check names: after the upgrade', async (t) => {
  const { at, stock } = await oldRepository(t);
  await at.inside('apply', '--auto-approve');
  const large: string[] = [];
  for (const path of await filesIn(at.repository, 'data')) if ((await stat(path)).size > 250_000) large.push(path);
  for (const path of large) await flip(path, 100);
  const [index] = await filesIn(at.repository, 'index');
  await flip(index!);
  const checked = async () =>
    JSON.parse((await at.inside('repository', 'check', 'disk', '--read-all', '--json')).stdout);
  const report = await checked();
  const hints = report.findings.map(({ hint }: { hint: string }) => hint).filter((hint: string) => /repair/.test(hint));
  assert(hints.length >= 2, JSON.stringify(report.findings));
  for (const hint of hints)
    assert.match(hint, /format version 1.*migrate upgrade_repo_v2.*rebuild-index.*Then: .*repair disk/);
  await assert.rejects(stock(['migrate', 'upgrade_repo_v2']), /errors|LoadIndex/);
  await stock(['rebuild-index']);
  await stock(['migrate', 'upgrade_repo_v2']);
  for (const { hint } of (await checked()).findings) assert.doesNotMatch(hint, /format version 1/);
  assert.equal((await at.inside('repository', 'repair', 'disk', '--auto-approve')).code, 4);
  assert.equal((await checked()).verdict, 'good');
  await stock(['check', '--read-data']);
});

async function oldRepository(t: TestContext): Promise<{ at: Home; stock: Restic }> {
  const at = await home(t);
  await mkdir(at.repository);
  const stock = await restic(t, at.repository, password);
  await stock(['init', '--repository-version', '1']);
  await cheapenKey(await localStore(at.repository));
  await stock(['backup', at.data]);
  await writeFile(join(at.data, 'random.bin'), Buffer.alloc(3_000_000, 'random'));
  await stock(['backup', at.data]);
  return { at, stock };
}

/** All are listed, and the newest comes back as the data is now. */
async function importsAndRestores(at: Home, backups: number): Promise<void> {
  const imported = JSON.parse((await at.inside('catalog', 'import', 'disk', '--json')).stdout);
  assert.deepEqual([imported.found, imported.damaged], [backups, []]);
  const [newest] = JSON.parse((await at.inside('backups', '--json')).stdout).backups;
  const out = join(at.folder, 'out');
  const got = await at.inside('download', newest.id, '-o', out);
  assert.equal(got.code, 0, got.stderr);
  assertSameTrees(join(out, at.data), at.data);
  await rm(out, { recursive: true });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}
