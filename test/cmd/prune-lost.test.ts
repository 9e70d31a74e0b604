import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type PruneHome, pruneHome } from './prune-kit.ts';

/** Takes `snapshots/` away as a lost folder is, or the snapshots of these backups. Gives how to bring them back. */
async function lose(at: PruneHome, ids?: readonly string[]): Promise<() => Promise<void>> {
  const [folder, aside] = [join(at.repository, 'snapshots'), join(at.folder, 'aside')];
  await mkdir(aside, { recursive: true });
  const known = await at.catalog.backups.list();
  const lost = known.filter(({ id }) => ids === undefined || ids.includes(id)).map(({ snapshot }) => snapshot);
  for (const name of lost) await rename(join(folder, name), join(aside, name));
  return async () => {
    for (const name of lost) await rename(join(aside, name), join(folder, name));
  };
}

/** Three times: to mark, to remove, and once more. */
async function refused(at: PruneHome, named: RegExp): Promise<void> {
  const before = await at.packBytes();
  for (const verb of [['--auto-approve'], ['--now', '--auto-approve'], ['--dry-run'], ['--auto-approve']]) {
    const { code, stdout, stderr } = await at.inside('prune', ...verb);
    assert.equal(code, 10, `prune ${verb}: ${stdout}${stderr}`);
    assert.match(stderr, named);
  }
  assert.equal(await at.packBytes(), before);
  assert.deepEqual(await readdir(join(at.repository, 'marks')).catch(() => []), [], 'nothing is marked');
}

async function three(t: TestContext) {
  const at = await pruneHome(t, { retention: '{ last: 5 }' });
  return { at, ids: await at.backUp(3) };
}

test('with `snapshots/` lost nothing is freed, status says why, and all is there when it is brought back', async (t) => {
  const { at, ids } = await three(t);
  const bringBack = await lose(at);
  await refused(at, /REPOSITORY_CORRUPT.*3 backups.*Bring `snapshots\/` back/s);
  const status = await at.inside('status');
  assert.match(status.stdout, new RegExp(`disk.*not be pruned.*${ids[2]}`, 's'));
  const checked = await at.inside('repository', 'check', 'disk', '--json');
  assert.match(checked.stdout, /snapshot-gone/);

  await bringBack();
  assert.equal((await at.inside('repository', 'check', 'disk')).code, 0);
  const out = join(at.folder, 'out');
  const restored = await at.inside('restore', 'docs', '--into', out);
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.doesNotMatch((await at.inside('status')).stdout, /not be pruned/);
  await at.judge(['check', '--read-data']);
});

test('some snapshots lost stop the freeing until a person lets the catalog forget them', async (t) => {
  const { at, ids } = await three(t);
  await lose(at, [ids[0]!, ids[2]!]);
  await refused(at, new RegExp(`${ids[2]}.*${ids[0]}.*tidemark delete.*tidemark catalog import disk`, 's'));

  const deleted = await at.inside('delete', ids[2]!, '--auto-approve');
  assert.equal(deleted.code, 0, `${deleted.stdout}${deleted.stderr}`);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 10, 'one is lost still');
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const before = await at.packBytes();
  for (let run = 0; run < 2; run++) assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.ok((await at.packBytes()) < before - 1_900_000);
  assert.equal((await at.snapshots()).length, 1);
  await at.judge(['check', '--read-data']);
});

test('of a repository without snapshots a catalog that never saw one lets nothing be freed', async (t) => {
  const { at } = await three(t);
  await lose(at);
  await at.catalog[Symbol.asyncDispose]();
  for (const name of await readdir(at.folder)) {
    if (name.startsWith('catalog.db')) await rm(join(at.folder, name));
  }
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  await refused(at, /holds data and no snapshot.*restic prune/s);
});

test('what a person deleted wholly is freed: the catalog saw it go', async (t) => {
  const { at, ids } = await three(t);
  await lose(at, ids.slice(0, 2));
  const deleted = await at.inside('delete', ...ids, '--even-the-last', '--auto-approve');
  assert.equal(deleted.code, 0, `${deleted.stdout}${deleted.stderr}`);
  for (let run = 0; run < 2; run++) {
    const { code, stderr } = await at.inside('prune', '--auto-approve');
    assert.equal(code, 0, stderr);
  }
  assert.equal(await at.packBytes(), 0);
});
