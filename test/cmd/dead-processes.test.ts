import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { processOwner } from '../../cmd/process-owner.ts';
import { type Catalog, openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { run, start, waitFor } from '../kit/process.ts';
import { atEnd } from '../kit/scope.ts';
import { childrenOf, startDaemon } from './daemon-kit.ts';
import { type Home, home, launcher } from './kit.ts';

const here = processOwner(hostname(), process.pid);

async function catalogOf(t: TestContext, { folder }: Home): Promise<Catalog> {
  const catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  atEnd(t, async () => catalog[Symbol.asyncDispose]());
  return catalog;
}

async function applied(t: TestContext, plan = 'manual: true, retry: { attempts: 2, backoff: 1s }') {
  const at = await home(t, { plan });
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  return { at, catalog: await catalogOf(t, at) };
}

/** Enough for a backup to be met in the middle. */
async function large({ data }: Home, megabytes: number): Promise<void> {
  await writeFile(join(data, 'large'), randomBytes(megabytes * 1024 * 1024));
}

async function running(catalog: Catalog) {
  const [job] = await catalog.jobs.list({ states: ['running'] });
  return job;
}

/** Stops a job process in the middle of its work: it sees no signal and no message any more. */
async function stoppedJobProcess(t: TestContext, { repository }: Home, daemon: number): Promise<number> {
  const child = await waitFor('the job process', async () => (await childrenOf(daemon))[0], { everyMs: 5 });
  await waitFor('its lock', async () => (await readdir(join(repository, 'locks'))).length > 0, { everyMs: 5 });
  process.kill(child, 'SIGSTOP');
  const { owner } = processOwner(hostname(), child);
  atEnd(t, async () => {
    if (here.fate(owner) === 'alive') process.kill(child, 'SIGKILL');
  });
  return child;
}

const verb = (t: TestContext, { folder }: Home, ...args: string[]) => start(t, launcher, args, { cwd: folder });

test('a job whose verb is killed while it waits is cancelled, and what was detached runs', async (t) => {
  const { at, catalog } = await applied(t);
  const missing = await at.inside('backup', 'docs-daily', '--detach');
  assert.deepEqual([missing.code, /DAEMON_MISSING/.test(missing.stderr)], [5, true], missing.stderr);
  assert.deepEqual(await catalog.jobs.list(), []);
  const uses = [{ thing: 'sources.docs', mode: 'write' }] as const;
  const rival = { kind: 'backup', trigger: 'manual', source: 'docs', request: {}, uses, attempts: 1 } as const;
  await catalog.jobs.add(rival);
  const held = await catalog.jobs.claim({ owner: here.owner, leaseMs: 600_000 });
  const killed = await verb(t, at, 'backup', 'docs-daily');
  const waiting = await waitFor('the verb to wait', async () => (await catalog.jobs.list({ states: ['queued'] }))[0]);
  await killed.end('SIGKILL');
  await startDaemon(t, at);
  const dropped = await waitFor('the job to be dropped', async () => {
    const job = await catalog.jobs.get(waiting.id);
    return job.state === 'queued' ? undefined : job;
  });
  assert.deepEqual([dropped.state, dropped.attempt, dropped.error?.code], ['cancelled', 0, 'CANCELLED']);
  const detached = await at.inside('backup', 'docs-daily', '--detach', '--json');
  assert.equal(detached.code, 0, detached.stderr);
  await catalog.jobs.transition(held!, 'failed');
  const { job } = JSON.parse(detached.stdout);
  await waitFor('the detached job', async () => (await catalog.jobs.get(job.id)).state === 'succeeded');
});

test("the job of a killed verb is free at once, and its lock is in nobody's way", async (t) => {
  const { at, catalog } = await applied(t);
  await large(at, 256);
  const killed = await verb(t, at, 'backup', 'docs-daily');
  const job = await waitFor('the run', () => running(catalog), { everyMs: 5 });
  await waitFor('its lock', async () => (await readdir(join(at.repository, 'locks'))).length > 0, { everyMs: 5 });
  await killed.end('SIGKILL');
  const startedMs = performance.now();
  const next = await verb(t, at, 'backup', 'docs-daily');
  await waitFor('the lost job to be settled', async () => (await catalog.jobs.get(job.id)).state === 'failed');
  assert.ok(performance.now() - startedMs < 8_000, `${performance.now() - startedMs} ms`);
  assert.equal((await next.ended).code, 0, next.output());
});

test('a killed daemon takes its job processes with it, and the next one begins the job at once', async (t) => {
  const { at, catalog } = await applied(t);
  await large(at, 256);
  const killed = await startDaemon(t, at);
  const detached = JSON.parse((await at.inside('backup', 'docs-daily', '--detach', '--json')).stdout).job;
  const child = await stoppedJobProcess(t, at, killed.pid);
  const { owner } = processOwner(hostname(), child);
  await killed.end('SIGKILL');
  await waitFor('the end of the job process', () => here.fate(owner) === 'gone', { timeoutMs: 2_000 });
  const startedMs = performance.now();
  await startDaemon(t, at);
  await waitFor('the second attempt', async () => {
    const { state, attempt, error } = await catalog.jobs.get(detached.id);
    return attempt === 2 || (state !== 'running' && error?.code === 'JOB_LOST');
  });
  assert.ok(performance.now() - startedMs < 10_000, `${performance.now() - startedMs} ms`);
});

test('what a killed restore left in a folder is named by the next one into it', async (t) => {
  const { at } = await applied(t);
  await large(at, 256);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const into = ['restore', 'docs', '--into', './back', '--auto-approve'];
  const killed = await verb(t, at, ...into);
  const found = async () => {
    const names = await readdir(join(at.folder, 'back'), { recursive: true });
    return names.find((name) => name.includes('.tidemark-'));
  };
  const left = await waitFor('a file that is being written', found, { everyMs: 2 });
  await killed.end('SIGKILL');
  assert.equal(await found(), left);
  const refused = await at.tidemark(...into);
  assert.deepEqual([refused.code, /TARGET_NOT_EMPTY: .*back is not empty/.test(refused.stderr)], [6, true]);
  const again = await at.tidemark(...into, '--overwrite');
  assert.equal(again.code, 0, again.stderr);
  assert.ok(again.stderr.includes(`left unfinished files in the target, which can be removed: /${left}`), again.stderr);
});

test('a killed daemon is known to be gone at once: by status, by a backup, and by what would be left to it', async (t) => {
  const { at, catalog } = await applied(t);
  const killed = await startDaemon(t, at);
  assert.equal(JSON.parse((await at.tidemark('status', '--json')).stdout).daemons.length, 1);
  await killed.end('SIGKILL');
  assert.equal((await catalog.daemons.alive(() => 'unknown')).length, 1, 'by its own word it would still live');
  assert.deepEqual(JSON.parse((await at.tidemark('status', '--json')).stdout).daemons, []);
  const detached = await at.tidemark('backup', 'docs-daily', '--detach');
  assert.deepEqual([detached.code, /DAEMON_MISSING/.test(detached.stderr)], [5, true], detached.stderr);
  const backup = await at.tidemark('backup', 'docs-daily', '--json');
  assert.equal(backup.code, 0, backup.stderr);
  assert.equal(
    (await catalog.daemons.alive(() => 'unknown')).length,
    1,
    'all of this took less time than its word holds',
  );
});

test('a verb that follows the job of a killed daemon ends with it', async (t) => {
  const { at, catalog } = await applied(t);
  await large(at, 256);
  const killed = await startDaemon(t, at);
  const follower = await verb(t, at, 'backup', 'docs-daily');
  const child = await stoppedJobProcess(t, at, killed.pid);
  const { owner } = processOwner(hostname(), child);
  await killed.end('SIGKILL');
  await waitFor('the end of the job process', () => here.fate(owner) === 'gone', { timeoutMs: 2_000 });
  const ended = await Promise.race([follower.ended, once(AbortSignal.timeout(30_000), 'abort')]);
  assert.deepEqual(ended, { code: 6, signal: null }, follower.output());
  assert.match(follower.output(), /error JOB_LOST: the process that ran the job died/);
  assert.deepEqual(
    (await catalog.jobs.list()).map(({ state, error }) => [state, error?.code]),
    [['failed', 'JOB_LOST']],
  );
});

test('a second Ctrl-C leaves neither a running job nor a lock', async (t) => {
  const { at, catalog } = await applied(t);
  await large(at, 512);
  const backup = await verb(t, at, 'backup', 'docs-daily');
  await waitFor('its lock', async () => (await readdir(join(at.repository, 'locks'))).length > 0, { everyMs: 5 });
  backup.child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 50)); // two signals at once are one
  await backup.end('SIGINT', 8_000);
  const { code, signal } = await backup.ended;
  assert(code === 130 || signal === 'SIGINT', backup.output()); // it may be leaving when the second one comes
  assert.deepEqual(
    (await catalog.jobs.list()).map(({ state }) => state),
    ['cancelled'],
  );
  assert.deepEqual(await readdir(join(at.repository, 'locks')), []);
});

test('a second Ctrl-C ends a daemon in order, also when a job does not let go', async (t) => {
  const { at, catalog } = await applied(t);
  await large(at, 256);
  const daemon = await startDaemon(t, at);
  await at.inside('backup', 'docs-daily', '--detach');
  const child = await stoppedJobProcess(t, at, daemon.pid);
  daemon.child.kill('SIGINT');
  await waitFor('the drain', () => daemon.output().includes('waiting for running jobs')); // two signals at once are one
  await daemon.end('SIGINT', 15_000);
  assert.deepEqual(
    (await catalog.jobs.list()).map(({ state, lease }) => [state, lease]),
    [['queued', undefined]],
  );
  assert.deepEqual(await catalog.daemons.alive(() => 'unknown'), []);
  assert.throws(() => process.kill(child, 0));
});

test('a daemon whose catalog is deleted ends, and the next one says that it begins anew', async (t) => {
  const at = await home(t);
  const daemon = await startDaemon(t, at);
  const second = await run(launcher, ['daemon'], { cwd: at.folder });
  assert.equal(second.code, 6);
  assert.match(second.stderr, /error DAEMON_RUNNING: .*process \d+ on .* since /);
  assert.match(second.stderr, new RegExp(`process ${daemon.pid} on`));
  for (const ending of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${ending}`), { force: true });
  assert.deepEqual(await daemon.ended, { code: 10, signal: null });
  assert.match(daemon.output(), /error CATALOG_UNREADABLE: .*catalog\.db was deleted while it was open/);
  const next = await startDaemon(t, at);
  assert.match(next.output(), /"event":"catalog\.new".*tidemark catalog import/);
  await next.end('SIGTERM');
});
