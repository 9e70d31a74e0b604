import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { restic } from '../kit/restic.ts';
import { type Home, home, password } from './kit.ts';

/** A home with two backups; the older one's id comes first. */
async function withBackups(t: TestContext): Promise<{ at: Home; old: string; newest: string }> {
  const at = await home(t);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const backUp = async () => JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup as string;
  return { at, old: await backUp(), newest: await backUp() };
}

/** Ids of the backups that the catalog knows as pinned, and what it says of them. */
async function pinned(at: Home): Promise<Record<string, unknown>> {
  const { stdout } = await at.inside('backups', '--json');
  const backups = JSON.parse(stdout).backups as { id: string; pin?: { reason?: string } }[];
  return Object.fromEntries(backups.flatMap(({ id, pin }) => (pin === undefined ? [] : [[id, pin.reason ?? null]])));
}

async function loseCatalog(at: Home): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${suffix}`), { force: true });
}

test('a pin is shown, survives the loss of the catalog, and goes by unpin only', async (t) => {
  const { at, old, newest } = await withBackups(t);
  const told = await at.inside('pin', old, '--reason', 'before the move');
  assert.deepEqual([told.code, told.stdout], [0, `backup ${old} in disk is pinned\n`], told.stderr);
  assert.match((await at.inside('backups')).stdout, new RegExp(`${old}.*pinned`));
  assert.match((await at.inside('show', old)).stdout, /^pinned {2}.* on .*: before the move$/m);
  const refused = await at.inside('delete', old, '--auto-approve');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /tidemark unpin/);

  await loseCatalog(at);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.deepEqual(await pinned(at), { [old]: 'before the move' });
  const judge = await restic(t, at.repository, password);
  await judge(['check', '--read-data']);

  assert.equal((await at.inside('pin', old, '--reason', 'another')).code, 0);
  assert.equal((await at.inside('pin', newest)).code, 0);
  assert.deepEqual(await pinned(at), { [old]: 'another', [newest]: null });
  assert.equal((await readdir(join(at.repository, 'pins'))).length, 2);
  assert.equal((await at.inside('unpin', old)).stdout, `backup ${old} in disk is not pinned\n`);
  assert.equal((await at.inside('unpin', old)).code, 0, 'twice is harmless');
  await loseCatalog(at);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.deepEqual(await pinned(at), { [newest]: null });
});

test('a pin that its repository does not have is not claimed, and one that it still has is not taken for gone', async (t) => {
  const { at, old } = await withBackups(t);
  const folder = join(at.repository, 'pins');
  await writeFile(folder, 'nothing can be written below a file');
  const failed = await at.inside('pin', old);
  assert.notEqual(failed.code, 0);
  assert.deepEqual(await pinned(at), {});
  await rm(folder);
  assert.equal((await at.inside('pin', old)).code, 0);

  await rm(join(at.folder, 'password'));
  assert.notEqual((await at.inside('unpin', old)).code, 0);
  assert.deepEqual(await pinned(at), { [old]: null });
});

test('a pin that cannot be read is named, and nothing is unpinned for it', async (t) => {
  const { at, old, newest } = await withBackups(t);
  assert.equal((await at.inside('pin', old, '--reason', 'x')).code, 0);
  const folder = join(at.repository, 'pins');
  const [name] = (await readdir(folder)) as [string];
  const bytes = await readFile(join(folder, name));
  bytes[bytes.length >> 1]! ^= 1;
  await rm(join(folder, name));
  await writeFile(join(folder, name), bytes);
  assert.equal((await at.inside('pin', newest)).code, 0, 'others can be pinned');
  const imported = await at.inside('catalog', 'import', 'disk');
  assert.match(
    imported.stderr + imported.stdout,
    new RegExp(`a pin cannot be read.*${name}.*delete pins/${name}`, 's'),
  );
  assert.deepEqual(await pinned(at), { [old]: 'x', [newest]: null });
  assert.equal((await at.inside('pin', old)).code, 0);
  await rm(join(folder, name));
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.deepEqual(await pinned(at), { [old]: null, [newest]: null });
});

test('a pin that another catalog set keeps a backup from being deleted, and so does one that nobody can read', async (t) => {
  const { at, old } = await withBackups(t);
  assert.equal((await at.inside('pin', old, '--reason', 'elsewhere')).code, 0);
  await using catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  assert.equal(await catalog.retained.pin('disk', old, undefined), true);
  const kept = await at.inside('delete', old, '--auto-approve', '--json');
  assert.match(JSON.parse(kept.stdout).backups[0].why, /^it is pinned/, kept.stderr);
  assert.deepEqual(await pinned(at), { [old]: 'elsewhere' });

  assert.equal((await at.inside('unpin', old)).code, 0);
  await writeFile(join(at.repository, 'pins', 'a'.repeat(64)), 'damaged');
  const unread = await at.inside('delete', old, '--auto-approve');
  assert.match(unread.stderr, /REPOSITORY_CORRUPT: a pin cannot be read, so nobody knows which backup it keeps/);
  assert.equal((await catalog.backups.list()).length, 2);
});

test('what is being deleted cannot be pinned, and no pin of it is left behind', async (t) => {
  const { at, old } = await withBackups(t);
  await using catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  const copy = await catalog.backups.get(old);
  assert.equal(await catalog.backups.expire(copy), undefined);
  const late = await at.inside('pin', old);
  assert.equal(late.code, 5);
  assert.match(late.stderr, /is being deleted: it cannot be kept/);
  assert.deepEqual(await readdir(join(at.repository, 'pins')).catch(() => []), []);
});

test('unpin says that a pin is left which cannot be read, and does not call the backup unpinned', async (t) => {
  const { at, old } = await withBackups(t);
  assert.equal((await at.inside('pin', old)).code, 0);
  const [pin] = await readdir(join(at.repository, 'pins'));
  await writeFile(join(at.repository, 'pins', pin!), 'xx');
  const told = await at.inside('unpin', old);
  assert.equal(told.code, 4, told.stderr);
  assert.doesNotMatch(told.stdout, /is not pinned/);
  assert.match(told.stderr, new RegExp(`pins/${pin}`));
  assert.match(told.stderr, /tidemark repository repair/);
  assert.deepEqual(await pinned(at), { [old]: null }, 'a repair knows what it was');
  assert.equal((await at.inside('repository', 'repair', 'disk', '--auto-approve')).code, 0);
  assert.equal((await at.inside('unpin', old)).stdout, `backup ${old} in disk is not pinned\n`);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
});
