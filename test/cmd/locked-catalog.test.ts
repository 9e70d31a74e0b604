import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Running, start, waitFor } from '../kit/process.ts';
import { startDaemon } from './daemon-kit.ts';
import { type Home, home, launcher } from './kit.ts';

/**
 * Waits for a backup to be at work and then holds the write lock of the catalog until it is ended, as a program that has the
 * file open may. It is there before the backup begins: one that starts then may come when all is recorded.
 */
async function lockWhenAtWork(t: TestContext, { folder, repository }: Home): Promise<Running> {
  const code = `
    const { DatabaseSync } = require('node:sqlite');
    const { existsSync, readdirSync } = require('node:fs');
    const filesOf = (name) => {
      const folder = ${JSON.stringify(repository)} + '/' + name;
      return existsSync(folder) ? readdirSync(folder) : []; // the first backup makes the repository
    };
    const catalog = new DatabaseSync('catalog.db', { timeout: 10_000 });
    console.log('waiting');
    const look = setInterval(() => {
      if (filesOf('locks').length === 0) return;
      clearInterval(look);
      catalog.exec('begin immediate');
      console.log(filesOf('snapshots').length === 0 ? 'locked' : 'too late');
      setInterval(() => {}, 1_000);
    }, 1);`;
  const holder = await start(t, process.execPath, ['-e', code], { cwd: folder });
  await waitFor('the holder of the lock', () => holder.output().includes('waiting'), { everyMs: 5 });
  return holder;
}

/** Waits for a backup that is stored while the catalog is locked. */
async function storedInTheDark(at: Home, holder: Running): Promise<void> {
  await waitFor('the snapshot', async () => (await readdir(join(at.repository, 'snapshots'))).length > 0);
  assert.match(holder.output(), /^locked$/m, 'the lock was there before the backup was stored');
}

async function applied(t: TestContext): Promise<Home> {
  const at = await home(t);
  await writeFile(join(at.data, 'large'), randomBytes(64 * 1024 * 1024));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  return at;
}

/** What the program said names the snapshot and the way to it, and that way leads there. */
async function findAgain(at: Home, said: string): Promise<void> {
  const [snapshot] = await readdir(join(at.repository, 'snapshots'));
  assert.match(said, new RegExp(`stored as snapshot ${snapshot!.slice(0, 8)} in disk, but not recorded`), said);
  assert.match(said, /tidemark catalog import disk/);
  assert.deepEqual(JSON.parse((await at.inside('backups', '--json')).stdout).backups, []);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.equal(JSON.parse((await at.inside('backups', '--json')).stdout).backups.length, 1);
}

test('SIGTERM ends a backup that is stored and whose catalog is locked, and it says how to find it again', async (t) => {
  const at = await applied(t);
  const holder = await lockWhenAtWork(t, at);
  const backup = await start(t, launcher, ['backup', 'docs-daily'], { cwd: at.folder });
  await storedInTheDark(at, holder);
  await backup.end('SIGTERM', 30_000);
  assert.equal((await backup.ended).code, 130, backup.output());
  await holder.end('SIGKILL');
  await findAgain(at, backup.output());
});

test('a second SIGTERM does not take away the news of a stored backup', async (t) => {
  const at = await applied(t);
  const holder = await lockWhenAtWork(t, at);
  const backup = await start(t, launcher, ['backup', 'docs-daily'], { cwd: at.folder });
  await storedInTheDark(at, holder);
  backup.child.kill('SIGTERM');
  await waitFor('the news', () => backup.output().includes('not recorded'), { timeoutMs: 5_000 });
  await backup.end('SIGTERM', 12_000);
  await holder.end('SIGKILL');
  await findAgain(at, backup.output());
});

test('the log of a daemon whose catalog stays locked names the backup that was stored', async (t) => {
  const at = await applied(t);
  const daemon = await startDaemon(t, at);
  const holder = await lockWhenAtWork(t, at);
  assert.equal((await at.inside('backup', 'docs-daily', '--detach')).code, 0);
  await storedInTheDark(at, holder);
  await waitFor('the news', () => daemon.output().includes('BACKUP_UNRECORDED'), { timeoutMs: 60_000 });
  await holder.end('SIGKILL');
  await findAgain(at, daemon.output());
});

test('a catalog that is free again in time knows the backup, and nothing is said', async (t) => {
  const at = await applied(t);
  const holder = await lockWhenAtWork(t, at);
  const backup = await start(t, launcher, ['backup', 'docs-daily'], { cwd: at.folder });
  await storedInTheDark(at, holder);
  backup.child.kill('SIGTERM');
  await holder.end('SIGKILL');
  assert.deepEqual(await backup.ended, { code: 0, signal: null }, backup.output());
  assert.equal(JSON.parse((await at.inside('backups', '--json')).stdout).backups.length, 1);
});
