import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { inside } from './kit.ts';
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
