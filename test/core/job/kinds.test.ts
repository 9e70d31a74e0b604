import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupJob, jobKinds, type Operation, restoreUses } from '../../../core/job/index.ts';
import { waitFor } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { home, startDaemon, yaml } from '../daemon/daemon-kit.ts';
import { plan, untilStopped } from './job-kit.ts';

const manual = yaml({ nightly: { schedule: '0 0 1 1 *' } });

test('a kind is one line, and one that lives long takes no slot from backups', async (t) => {
  const at = await home(t, manual);
  const kinds = { ...jobKinds, follow: { ...jobKinds.backup, slots: 'own', countsForPlan: false } } as const;
  const operation: Operation = (job, run) =>
    job.kind === 'follow' ? untilStopped(job, run) : Promise.resolve({ result: {}, partial: false });
  await startDaemon(t, at, { change: () => ({ kinds, operation, concurrency: 1 }) });
  const ids: string[] = [];
  for (const source of ['a', 'b', 'c']) {
    const uses = [{ thing: `log:sources.${source}`, mode: 'write' }] as const;
    ids.push(
      (await at.catalog.jobs.add({ ...(await backupJob(plan({ source }), 'manual')), kind: 'follow', uses })).id,
    );
  }
  await waitFor('all to run', async () => (await at.catalog.jobs.list({ states: ['running'] })).length === ids.length);
  const { id } = await at.catalog.jobs.add(await backupJob(plan(), 'manual'));
  await waitFor('the backup', async () => (await at.catalog.jobs.get(id)).state === 'succeeded');
  for (const one of ids) assert.equal((await at.catalog.jobs.get(one)).state, 'running');
});

test('a scheduled backup that a restore holds back runs when it ends, as long as its window lasts', async (t) => {
  const at = await home(t, manual);
  let endRestore = () => {};
  const operation: Operation = (job) =>
    job.kind === 'backup'
      ? Promise.resolve({ result: {}, partial: false })
      : new Promise((resolve) => {
          endRestore = () => resolve({ result: { items: 1 }, partial: false });
        });
  await startDaemon(t, at, { change: () => ({ operation }) });
  const uses = await restoreUses({ source: 'shop', paths: [] });
  const restore = { ...(await backupJob(plan(), 'manual')), kind: 'restore', plan: undefined, uses };
  const { id } = await at.catalog.jobs.add(restore);
  await waitFor('the restore', async () => (await at.catalog.jobs.get(id)).state === 'running');
  const now = at.clock.now().getTime();
  const run = (forMs: number) =>
    backupJob(plan(), 'schedule', { scheduledFor: new Date(now), startBy: new Date(now + forMs) });
  const patient = await at.catalog.jobs.add(await run(3_600_000));
  const hurried = await at.catalog.jobs.add(await run(10_000));
  await waitFor('the end of a window', async () => (await at.catalog.jobs.get(hurried.id)).state === 'missed');
  assert.equal((await at.catalog.jobs.get(patient.id)).state, 'queued');
  endRestore();
  await waitFor('the backup', async () => (await at.catalog.jobs.get(patient.id)).state === 'succeeded');
});

test('a folder is known by the name that no link leads past, also where it is not there yet', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'real/deep'), { recursive: true });
  await symlink('real', join(folder, 'link'));
  for (const path of ['link/deep', 'real/deep', 'link/deep/new/er']) {
    const rest = path.replace('link', 'real');
    const uses = await restoreUses({ folder: join(folder, path) });
    assert.deepEqual(uses, [{ thing: `folder:${join(folder, rest)}`, mode: 'write' }]);
  }
});
