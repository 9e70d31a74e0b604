import assert from 'node:assert/strict';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type PruneHome, pruneHome } from './prune-kit.ts';

async function told(at: PruneHome, verb: 'check' | 'stats') {
  const { code, stdout } = await at.inside('repository', verb, 'disk', '--json');
  const value = JSON.parse(stdout);
  const findings = value.findings?.filter(({ kind }: { kind: string }) => kind !== 'key-weak'); // keys of tests are cheap
  return { code, ...value, findings };
}

test('stats call no repository whole that lacks a snapshot which the catalog lists', async (t) => {
  const at = await pruneHome(t);
  const [old, other, newest] = await at.backUp(3);
  assert.equal((await told(at, 'stats')).verdict, 'whole');
  const { snapshot } = await at.catalog.backups.get(old!);
  await rename(join(at.repository, 'snapshots', snapshot), join(at.folder, 'aside'));
  const { code, verdict, unseen, waste, logicalBytes } = await told(at, 'stats');
  assert.deepEqual([code, verdict, waste, logicalBytes], [4, 'incomplete', undefined, undefined]);
  assert.deepEqual(unseen, [
    `the catalog lists backup ${old} of docs-daily, and snapshot ${snapshot.slice(0, 8)} is not in the repository`,
  ]);
  await rename(join(at.folder, 'aside'), join(at.repository, 'snapshots', snapshot));
  assert.equal((await at.inside('delete', old!, other!, newest!, '--even-the-last', '--auto-approve')).code, 0);
  for (const verb of ['stats', 'check'] as const) {
    const emptied = await told(at, verb);
    assert.deepEqual([emptied.code, emptied.verdict], [0, verb === 'stats' ? 'whole' : 'good'], 'deleted on purpose');
  }
});

test('with catalog and snapshots lost a check names what manifests and pins tell, and never says good', async (t) => {
  const at = await pruneHome(t);
  const [old, newest] = await at.backUp(2);
  await rm(join(at.repository, 'snapshots'), { recursive: true });
  await at.catalog[Symbol.asyncDispose]();
  for (const name of await readdir(at.folder)) if (name.startsWith('catalog.db')) await rm(join(at.folder, name));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const bare = await told(at, 'check');
  assert.deepEqual(
    [bare.code, bare.verdict, bare.findings.length],
    [4, 'incomplete', 1],
    JSON.stringify(bare.findings),
  );
  assert.match(
    bare.findings[0].text,
    new RegExp(`manifests of 2: ${old} of docs-daily, 20.*; ${newest} of docs-daily, 20`),
  );
  await at.judge(['recover']);
  const into = join(at.folder, 'recovered');
  await at.judge(['restore', 'latest', '--target', into]);
  const back = (await readdir(into, { recursive: true })).filter((name) => name.endsWith('one.txt'));
  assert.equal(back.length, 2, 'the way that the hint names leads there');
  for (const name of await readdir(join(at.repository, 'snapshots'))) await rm(join(at.repository, 'snapshots', name));
  const stats = await told(at, 'stats');
  assert.deepEqual([stats.code, stats.unseenCount, stats.waste], [4, 1, undefined]);
});

test('a pin whose backup is gone tells of it, when neither the catalog nor a snapshot does', async (t) => {
  const at = await pruneHome(t);
  const [old] = await at.backUp(2);
  assert.equal((await at.inside('pin', old!)).code, 0);
  const { snapshot } = await at.catalog.backups.get(old!);
  await rm(join(at.repository, 'snapshots', snapshot));
  const kinds = async () => (await told(at, 'check')).findings.map(({ kind }: { kind: string }) => kind);
  assert.deepEqual(await kinds(), ['snapshot-gone'], 'the catalog knows it');
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const { code, findings } = await told(at, 'check');
  assert.deepEqual([code, findings.length, findings[0].kind], [10, 1, 'pin-alone']);
  assert.match(findings[0].text, new RegExp(`keeps backup ${old}, of which there is no snapshot`));
  await rm(join(at.repository, findings[0].object));
  assert.deepEqual(await kinds(), []);
});
