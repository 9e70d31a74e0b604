import assert from 'node:assert/strict';
import { chmod, mkdir, open, readdir, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import { hasCode, type TidemarkError } from '../../../core/error.ts';
import { catalogContract } from '../../contracts/catalog.ts';
import { backup, job } from '../../contracts/catalog-samples.ts';
import { runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';

test('the SQLite catalog fulfils the contract of catalogs', async (t) => {
  await catalogContract(t, async (t) => {
    const path = await newPath(t);
    return { url: `sqlite:${path}`, open: (clock) => openSqliteCatalog(path, clock) };
  });
});

test('file and folder are for their owner only', async (t) => {
  const path = await newPath(t);
  await using _catalog = await openSqliteCatalog(path, systemClock);
  const folder = join(path, '..');
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const name of await readdir(folder)) {
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  }
});

test('processes that open a new catalog at once make it once', async (t) => {
  const url = `sqlite:${await newPath(t)}`;
  const program = join(import.meta.dirname, '../../contracts/catalog-process.ts');
  const opened = await Promise.all(Array.from({ length: 4 }, () => runOk(process.execPath, [program, url, 'open'])));
  assert.equal(new Set(opened.map((one) => one.stdout)).size, 1);
});

test('what is no catalog of ours is refused and left alone', async (t) => {
  const path = await newPath(t);
  await mkdir(join(path, '..'));
  await writeFile(path, 'this is a text file, long enough to have a header\n'.repeat(100));
  await refused(path, /no database|not a database/i);
  const other = `${path}.other`;
  using database = new DatabaseSync(other);
  database.exec('create table theirs (a)');
  await refused(other, /another program.* Move the file/);
  assert.deepEqual(database.prepare('select name from sqlite_master').all().length, 1);
});

test('a catalog of a newer tidemark is refused', async (t) => {
  const path = await newPath(t);
  await (await openSqliteCatalog(path, systemClock))[Symbol.asyncDispose]();
  using database = new DatabaseSync(path);
  database.exec('pragma user_version = 99');
  await refused(path, /newer/);
});

test('a catalog of the first schema keeps its backups, and its jobs exclude what they name', async (t) => {
  const path = await newPath(t);
  const before = backup({ warnings: [] });
  {
    await using catalog = await openSqliteCatalog(path, systemClock);
    await catalog.backups.record(before);
    await catalog.jobs.add(job());
    await catalog.jobs.add(job({ kind: 'restore', request: { into: { folder: '/srv/www' } }, plan: undefined }));
  }
  {
    using database = new DatabaseSync(path);
    database.exec('alter table state drop column claims');
    for (const column of ['uses', 'waiterOwner', 'waiterUntil']) database.exec(`alter table job drop column ${column}`);
    for (const column of ['selection', 'pin', 'expiringAt', 'identity', 'damage', 'seenAt']) {
      database.exec(`alter table backup drop column ${column}`);
    }
    database.exec('drop table check_status');
    database.exec('drop table destination_status');
    database.exec('pragma user_version = 1');
  }
  await using catalog = await openSqliteCatalog(path, systemClock);
  assert.deepEqual(await catalog.backups.get(before.id), before);
  const rivals = async (thing: string) => catalog.jobs.rivals([{ thing, mode: 'read' }]);
  for (let count = 0; count < 2; count++) await catalog.jobs.claim({ owner: 'me', leaseMs: 1000 });
  assert.equal((await rivals('sources.shop')).length, 1);
  assert.equal((await rivals('folder:/srv/www/below')).length, 1);
  assert.equal((await rivals('folder:/srv')).length, 1);
});

test('a catalog whose file is deleted or replaced while it is open says so', async (t) => {
  const path = await newPath(t);
  await using catalog = await openSqliteCatalog(path, systemClock);
  await catalog.checkPresence();
  await rename(path, `${path}.away`);
  const gone = (text: RegExp) => (error: unknown) =>
    hasCode(error, 'CATALOG_UNREADABLE') && text.test(error.message) && /catalog import/.test(error.hint ?? '');
  await assert.rejects(catalog.checkPresence(), gone(/was deleted while it was open/));
  await writeFile(path, 'another');
  await assert.rejects(catalog.checkPresence(), gone(/was replaced while it was open/));
  await rename(`${path}.away`, path);
  await catalog.checkPresence();
});

test('a damaged catalog says so and how to go on', async (t) => {
  const path = await newPath(t);
  const catalog = await openSqliteCatalog(path, systemClock);
  for (let count = 0; count < 50; count++) await catalog.backups.record(backup());
  await catalog[Symbol.asyncDispose]();
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
  await file.close();
  const readAll = async () => {
    await using damaged = await openSqliteCatalog(path, systemClock);
    await damaged.backups.list();
  };
  await assert.rejects(readAll(), (error) => hasCode(error, 'CATALOG_UNREADABLE') && /import/.test(error.hint ?? ''));
  await truncate(path, 5000);
  await assert.rejects(readAll(), (error) => hasCode(error, 'CATALOG_UNREADABLE'));
});

test('a path that cannot be made or opened is named', async (t) => {
  const path = await newPath(t);
  await writeFile(join(path, '..'), 'a file where the folder should be');
  await refused(path, /permissions/);
  const folder = `${await newPath(t)}`;
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  await refused(folder, /permissions/);
});

test('a catalog locked by another for too long is busy', async (t) => {
  const path = await newPath(t);
  await using catalog = await openSqliteCatalog(path, systemClock, { busyTimeoutMs: 200 });
  using holder = new DatabaseSync(path);
  holder.exec('begin immediate');
  assert.equal((await catalog.state.read()).serial, 0, 'readers do not wait');
  await assert.rejects(catalog.backups.record(backup()), (error) => hasCode(error, 'CATALOG_BUSY'));
  holder.exec('rollback');
  await catalog.backups.record(backup());
});

test('closing does not wait for the lock of another as a write does', async (t) => {
  const path = await newPath(t);
  const catalog = await openSqliteCatalog(path, systemClock, { busyTimeoutMs: 60_000 });
  using holder = new DatabaseSync(path);
  holder.exec('begin immediate');
  const writes = [1, 2].map(() =>
    assert.rejects(catalog.backups.record(backup()), (error) => hasCode(error, 'CATALOG_BUSY')),
  );
  const beganMs = performance.now();
  await Promise.all([catalog[Symbol.asyncDispose](), ...writes]);
  assert.ok(performance.now() - beganMs < 5_000);
});

test('a write that waits for a lock when the catalog is closed gets it, if it is free soon', async (t) => {
  const path = await newPath(t);
  const catalog = await openSqliteCatalog(path, systemClock);
  using holder = new DatabaseSync(path);
  holder.exec('begin immediate');
  const written = catalog.backups.record(backup());
  setTimeout(() => holder.exec('rollback'), 100);
  await Promise.all([catalog[Symbol.asyncDispose](), written]);
  await using again = await openSqliteCatalog(path, systemClock);
  assert.equal((await again.backups.list()).length, 1);
});

test('closing twice is harmless and waits for the verb under way', async (t) => {
  const path = await newPath(t);
  const catalog = await openSqliteCatalog(path, systemClock);
  const writes = Promise.all([catalog.backups.record(backup()), catalog.backups.record(backup())]);
  await Promise.resolve();
  await Promise.all([catalog[Symbol.asyncDispose](), writes.catch(() => {})]);
  await catalog[Symbol.asyncDispose]();
  await using again = await openSqliteCatalog(path, systemClock);
  assert.ok((await again.backups.list()).length <= 2);
});

async function newPath(t: TestContext): Promise<string> {
  return join(await tempFolder(t), 'lib', 'catalog.db');
}

async function refused(path: string, hint: RegExp): Promise<void> {
  await assert.rejects(openSqliteCatalog(path, systemClock), (error: TidemarkError) => {
    assert.equal(error.code, 'CATALOG_UNREADABLE', error.stack);
    assert.match(`${error.message} ${error.hint}`, hint);
    return true;
  });
}
