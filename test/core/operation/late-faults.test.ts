import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Drivers } from '../../../core/config/index.ts';
import type { SourceDriver } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { recordBackup } from '../../../core/operation/record-backup.ts';
import { inside } from '../../cmd/kit.ts';
import { backup } from '../../contracts/catalog-samples.ts';
import { type Drawer, drawerDriver } from '../../drivers/toy/drawer.ts';
import { type Notes, notesDriver } from '../../drivers/toy/notes.ts';
import { type Fault, faultyStore } from '../../kit/faulty-store.ts';
import { tempFolder } from '../../kit/temp.ts';

const gone = new TidemarkError('DESTINATION_UNREACHABLE', 'the share is gone');
const lockStays: Fault = { method: 'delete', match: /^locks\//, kind: 'error', error: gone };

const yaml = `sources:
  kitchen: { driver: notes, shelf: kitchen }
destinations:
  top: { driver: drawer, label: top, password: "\${env:TOP}" }
plans:
  daily: { source: kitchen, destinations: [top], manual: true }
daemon: { catalog: "sqlite:catalog.db" }
`;

interface Table {
  readonly folder: string;
  readonly top: Drawer;
  /** Runs a verb in which these calls of the store fail. */
  verb(faults: readonly Fault[], ...args: string[]): ReturnType<typeof inside>;
}

/** A toy in memory, applied, whose store has planned faults; each verb is another process to the repository. */
async function table(
  t: TestContext,
  change: (driver: SourceDriver) => SourceDriver = (driver) => driver,
): Promise<Table> {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const notes: Notes = new Map([['soup', 'salt\n']]);
  const top: Drawer = new Map();
  const source = change(notesDriver(new Map([['kitchen', notes]])));
  const drawers = drawerDriver(new Map([['top', top]]));
  let pid = 100;
  const verb: Table['verb'] = (faults, ...args) => {
    const open: typeof drawers.open = async (settings, context) => {
      const store = await drawers.open(settings, context);
      return faults.length > 0 ? faultyStore(t, store, ...faults) : store;
    };
    const drivers: Drivers = { sources: [source], destinations: [{ ...drawers, open }] };
    pid += 1;
    const process = { host: 'testhost', user: 'tester', pid, alive: (other: number) => other === pid, threads: 1 };
    return inside(args, { cwd: folder, env: { TOP: 'secret' }, drivers: async () => drivers, process });
  };
  assert.equal((await verb([], 'apply', '--auto-approve')).code, 0);
  return { folder, top, verb };
}

const locks = (top: Drawer) => [...top.keys()].filter((name) => name.startsWith('locks/'));

test('a lock that cannot be released costs a finished backup or restore a warning, and a later run removes it', async (t) => {
  const { top, verb } = await table(t);
  const made = await verb([lockStays], 'backup', 'daily', '--json');
  assert.equal(made.code, 0, made.stderr);
  const { backup: id, job } = JSON.parse(made.stdout);
  assert.match(job.result.warnings.join(), /the backup was stored, but .*DESTINATION_UNREACHABLE: the share is gone/);
  const [known] = JSON.parse((await verb([], 'backups', '--json')).stdout).backups;
  assert.deepEqual([known.id, locks(top).length], [id, 1]);
  assert.equal((await verb([], 'backup', 'daily')).code, 0);
  assert.deepEqual(locks(top), [], 'the next run removed it');
  const restored = await verb([lockStays], 'restore', 'kitchen', '--into', 'kitchen', '--overwrite', '--auto-approve');
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stderr, /the restore is done, but .*the share is gone/);
  assert.equal(locks(top).length, 1);
});

test('a backup that cannot be read back while its destination is away is known, with a warning, and not made twice', async (t) => {
  const { top, verb } = await table(t);
  const made = await verb([{ method: 'get', match: /^snapshots\//, kind: 'error', error: gone }], 'backup', 'daily');
  assert.equal(made.code, 0, made.stderr);
  const known = JSON.parse((await verb([], 'backups', '--json')).stdout).backups;
  assert.equal(known.length, 1);
  assert.match(known[0].warnings.join(), /stored but not read back: DESTINATION_UNREACHABLE: the share is gone/);
  assert.equal([...top.keys()].filter((name) => name.startsWith('snapshots/')).length, 1);
});

test('a source that cannot be left after its backup was stored does not undo it', async (t) => {
  const { verb } = await table(t, (driver) => ({
    ...driver,
    open: async (settings, context) => {
      const session = await driver.open(settings, context);
      let isDone = false;
      return {
        ...session,
        backup: async (request, sink) => {
          const result = await session.backup(request, sink);
          isDone = true;
          return result;
        },
        [Symbol.asyncDispose]: async () => {
          if (isDone) throw new TidemarkError('SOURCE_UNREACHABLE', 'the server went away');
        },
      };
    },
  }));
  const made = await verb([], 'backup', 'daily', '--json');
  assert.equal(made.code, 0, made.stderr);
  assert.match(JSON.parse(made.stdout).job.result.warnings.join(), /SOURCE_UNREACHABLE: the server went away/);
  assert.equal(JSON.parse((await verb([], 'backups', '--json')).stdout).backups.length, 1);
});

test('a backup that fails and whose lock stays says why it failed', async (t) => {
  const { verb } = await table(t);
  const full = new TidemarkError('DESTINATION_FULL', 'no space');
  const noSnapshot: Fault = { method: 'put', match: /^snapshots\//, kind: 'error', error: full };
  const made = await verb([noSnapshot, lockStays], 'backup', 'daily');
  assert.match(made.stderr, /DESTINATION_FULL: no space/);
  assert.equal(JSON.parse((await verb([], 'backups', '--json')).stdout).backups.length, 0);
});

test('a busy catalog is waited for as long as the work may go on; then it is said how to find the backup', async (t) => {
  const path = join(await tempFolder(t), 'catalog.db');
  await using catalog = await openSqliteCatalog(path, systemClock, { busyTimeoutMs: 50 });
  using holder = new DatabaseSync(path);
  holder.exec('begin immediate');
  const [one, two] = [backup(), backup()];
  const context = { catalog, clock: systemClock };
  const limit = AbortSignal.timeout(200);
  await assert.rejects(recordBackup(context, one, limit), { code: 'BACKUP_UNRECORDED', hint: /catalog import nas/ });
  const recording = recordBackup(context, two, new AbortController().signal);
  await systemClock.sleep(300);
  holder.exec('rollback');
  await recording;
  assert.deepEqual(await catalog.backups.get(two.id), two);
  assert.equal((await catalog.backups.list()).length, 1);
});
