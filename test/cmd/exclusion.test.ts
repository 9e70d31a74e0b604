import assert from 'node:assert/strict';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Catalog, type Job, openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { waitFor } from '../kit/process.ts';
import { type Home, home, inside, yamlFor } from './kit.ts';

const lease = { owner: 'another', leaseMs: 60_000 };

/** A home whose `data` has been backed up, with a source `deep` of a folder in it, named through a link. */
async function scene(t: TestContext): Promise<{ at: Home; catalog: Catalog }> {
  const at = await home(t);
  await symlink(at.data, join(at.folder, 'link'));
  const deep = `sources:\n  deep: { driver: files, paths: [${join(at.folder, 'link/deep')}] }`;
  const plan = 'plans:\n  deep-daily: { source: deep, destinations: [disk], manual: true }';
  await at.write(yamlFor(at.folder).replace('sources:', deep).replace('plans:', plan));
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  t.after(() => catalog[Symbol.asyncDispose]());
  return { at, catalog };
}

/** Runs the command line until it says that it waits, ends the rival, and gives what it said. */
async function waits(at: Home, catalog: Catalog, rival: Job, ...args: string[]): Promise<string> {
  let said = '';
  const stderr = {
    write: (text: string) => {
      said += text;
    },
  };
  const ended = inside(args, { cwd: at.folder, stderr });
  const text = await waitFor(`${args.join(' ')} to wait`, () => /waiting for .*/.exec(said)?.[0], { timeoutMs: 5_000 });
  await catalog.jobs.transition(rival, 'succeeded');
  assert.equal((await ended).code, 0, said);
  return text;
}

/** The job as the command line queues it, running in another process. */
async function claimed(at: Home, catalog: Catalog, ...args: string[]): Promise<Job> {
  const until = { owner: lease.owner, pid: 1, host: 'other', version: '0', startedAt: new Date() };
  const configuration = { state: 'applied', text: '', at: new Date() } as const;
  await catalog.daemons.enter({ ...until, until: new Date(Date.now() + 60_000), configuration });
  const told = await inside([...args, '--detach', '--json'], { cwd: at.folder });
  await catalog.daemons.leave(lease.owner);
  const { job } = JSON.parse(told.stdout);
  return (await catalog.jobs.claim({ ...lease, id: job.id }))!;
}

test('a restore into a folder that a backup reads waits for it, and the other way round', async (t) => {
  const { at, catalog } = await scene(t);
  const into = join(at.data, 'deep/scratch');
  const reading = await claimed(at, catalog, 'backup', 'docs-daily');
  const text = await waits(at, catalog, reading, 'restore', 'docs', '--into', into);
  assert.equal(text, `waiting for job ${reading.id}, a backup that reads ${at.data}`);
  await rm(into, { recursive: true });
  const writing = await claimed(at, catalog, 'restore', 'docs', '--into', join(at.folder, 'link/deep/scratch'));
  const told = await waits(at, catalog, writing, 'backup', 'deep-daily');
  assert.equal(told, `waiting for job ${writing.id}, a restore that writes ${into}`);
  const aside = await claimed(at, catalog, 'restore', 'docs', '--into', './aside');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0, 'what it does not touch goes on');
  await catalog.jobs.transition(aside, 'succeeded');
});

test('a restore in place and the backup of a source in it wait for each other', async (t) => {
  const { at, catalog } = await scene(t);
  const inPlace = ['restore', 'docs', '--into', 'docs', '--overwrite', '--auto-approve'];
  const writing = await claimed(at, catalog, ...inPlace);
  const told = await waits(at, catalog, writing, 'backup', 'deep-daily');
  assert.equal(told, `waiting for job ${writing.id}, a restore that writes ${at.data}`);
  const reading = await claimed(at, catalog, 'backup', 'deep-daily');
  const text = await waits(at, catalog, reading, ...inPlace);
  assert.equal(text, `waiting for job ${reading.id}, a backup that reads ${join(at.data, 'deep')}`);
});

test('a restore in place writes where the source was when it was backed up', async (t) => {
  const { at, catalog } = await scene(t);
  await mkdir(join(at.folder, 'moved'));
  const moved = `docs: { driver: files, paths: [${join(at.folder, 'moved')}] }`;
  const was = 'plans:\n  was-daily: { source: was, destinations: [disk], manual: true }';
  const yaml = yamlFor(at.folder).replace('docs:', `${moved}\n  was:`);
  await at.write(yaml.replace('plans:', was));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const writing = await claimed(at, catalog, 'restore', 'docs', '--into', 'docs', '--overwrite', '--auto-approve');
  const told = await waits(at, catalog, writing, 'backup', 'was-daily');
  assert.equal(told, `waiting for job ${writing.id}, a restore that writes ${at.data}`);
});
