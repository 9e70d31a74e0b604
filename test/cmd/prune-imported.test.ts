import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { restic } from '../kit/restic.ts';
import { inside, password } from './kit.ts';
import { pruneHome, pruneYaml } from './prune-kit.ts';

test('what an import found goes when a person has seen it go once: a retention that waited is not carried out by a lost catalog', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 9 }' });
  await at.backUp(3);
  await at.write(pruneYaml(at.folder, ['docs-daily'], '{ last: 1 }', 'grace: 0s'));
  for (const end of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${end}`), { force: true });
  for (const verb of [
    ['apply', '--auto-approve'],
    ['catalog', 'import', 'disk'],
  ]) {
    const { code, stderr } = await at.inside(...verb);
    assert.equal(code, 0, stderr);
  }
  await at.backUp(1);
  const alone = await at.inside('prune', '--auto-approve');
  assert.equal(alone.code, 4, alone.stderr);
  assert.match(
    alone.stderr,
    /nothing of plan docs-daily was let go: 3 backups .* found by an import.*`tidemark prune docs-daily`/,
  );
  assert.match(alone.stderr, /disk: 1 backup stays, 3 backups go/);
  assert.match((await at.inside('pin', '')).stderr, /there is no backup with an empty id/);
  assert.equal((await at.snapshots()).length, 4);

  const person = Object.assign(Readable.from(['yes\n']), { isTTY: true });
  const agreed = await inside(['prune', 'docs-daily'], { cwd: at.folder, stdin: person });
  assert.equal(agreed.code, 0, agreed.stderr);
  assert.match(agreed.stderr, /in doubt.*found by an import/);
  assert.equal((await at.snapshots()).length, 1);
});

test('what stays beside what a person saw go is seen: the daemon lets go of it when its time comes', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 2 }' });
  await at.backUp(3);
  for (const end of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${end}`), { force: true });
  await at.inside('apply', '--auto-approve');
  await at.inside('catalog', 'import', 'disk');
  const person = Object.assign(Readable.from(['yes\n']), { isTTY: true });
  assert.equal((await inside(['prune'], { cwd: at.folder, stdin: person })).code, 0);
  assert.equal((await at.snapshots()).length, 2);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0, 'another import forgets nothing of it');
  await at.backUp(1);
  const alone = await at.inside('prune', '--auto-approve');
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal((await at.snapshots()).length, 2);
});

test('of two snapshots of one backup one counts: the other takes no count of the retention, and is named with the way to remove it', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 2 }' });
  const [, second, third] = await at.backUp(3);
  const { snapshot } = (await at.catalog.backups.list({ limit: 1 }))[0]!;
  const elsewhere = join(at.folder, 'elsewhere');
  const passwordFile = join(at.folder, 'password');
  const other = await restic(t, elsewhere, password);
  await other(['init']);
  await other(['copy', '--from-repo', at.repository, '--from-password-file', passwordFile, snapshot]);
  await other(['tag', '--add', 'mine', 'latest']);
  const before = await at.snapshots();
  await at.judge(['copy', '--from-repo', elsewhere, '--from-password-file', passwordFile]);
  const again = (await at.snapshots()).find((one) => !before.includes(one))!;
  const { addedBytes: _, ...real } = await at.catalog.backups.copy('disk', snapshot);
  await at.catalog.backups.record({ ...real, snapshot: again });
  const early = await at.inside('prune', '--dry-run');
  assert.equal(early.code, 0, early.stderr);
  assert.match(early.stdout + early.stderr, /disk: 3 backups stay, 1 backup goes/, 'also where the catalog knows both');

  const imported = await at.inside('catalog', 'import', 'disk');
  assert.match(
    imported.stderr + imported.stdout,
    new RegExp(`1 snapshot is of a backup that counts by another one.* of ${third}, which is ${snapshot.slice(0, 8)}`),
  );
  const [command] = /restic forget [0-9a-f]{8}/.exec(imported.stderr + imported.stdout)!;
  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 0, pruned.stderr);
  assert.deepEqual(await at.ids(), [third, second]);
  assert.equal((await at.catalog.backups.get(third!)).snapshot, snapshot, 'the one that the catalog had');
  await at.judge(command!.split(' ').slice(1));
  assert.deepEqual(JSON.parse((await at.inside('catalog', 'import', 'disk', '--json')).stdout).warnings, []);
  assert.deepEqual(await at.ids(), [third, second]);
});
