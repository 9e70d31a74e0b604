import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertSameTrees } from '../kit/compare-trees.ts';
import { waitFor } from '../kit/process.ts';
import { restic } from '../kit/restic.ts';
import { childrenOf, startDaemon, statusOf } from './daemon-kit.ts';
import { type Home, home, password, yamlFor } from './kit.ts';

const everyTwoSeconds = 'schedule: "*/2 * * * * *"';
const spare = `  spare: { source: docs, destinations: [disk], manual: true }\n`;

async function scheduledBackups({ inside }: Home): Promise<number> {
  const { jobs } = JSON.parse((await inside('jobs', '--state', 'succeeded', '--limit', '1000', '--json')).stdout);
  return jobs.filter((job: { trigger: string }) => job.trigger === 'schedule').length;
}

test('a daemon runs schedules, follows the files, and drains', async (t) => {
  const at = await home(t, { plan: everyTwoSeconds });
  const daemon = await startDaemon(t, at);
  await waitFor('a scheduled backup', async () => (await scheduledBackups(at)) > 0, { timeoutMs: 60_000 });
  const manual = await at.inside('backup', 'docs-daily');
  assert.equal(manual.code, 0, manual.stderr);
  assert.match(await (await fetch(`http://${daemon.address}/metrics`)).text(), /tidemark_plan_last_success_timestamp/);

  await at.write(`${yamlFor(at.folder, everyTwoSeconds)}plains: {}\n`);
  await waitFor('the mistake in the log', () => /tidemark\.yaml:8:1: unknown key `plains`/.test(daemon.output()));
  const before = await scheduledBackups(at);
  await waitFor('another backup', async () => (await scheduledBackups(at)) > before, { timeoutMs: 60_000 });
  const invalid = await waitFor('the mistake in the status', async () => {
    const { daemons, problems } = await statusOf(at);
    return daemons[0].configuration.state === 'invalid' && problems;
  });
  assert.match(invalid[0], /unknown key `plains`/);

  await at.write(yamlFor(at.folder, everyTwoSeconds).replace('daemon:', `${spare}daemon:`));
  await waitFor('the new plan', async () => JSON.stringify((await statusOf(at)).sources).includes('"spare"'));
  await at.write(yamlFor(at.folder, everyTwoSeconds));
  await waitFor('the removal to be pending', async () =>
    /remove plans\.spare/.test(JSON.stringify(await statusOf(at))),
  );
  assert.ok(JSON.stringify((await statusOf(at)).sources).includes('"spare"'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);

  await daemon.end('SIGTERM', 60_000);
  assert.deepEqual(await daemon.ended, { code: 0, signal: null });
  assert.match(daemon.output(), /"event":"daemon\.stopped"/);
  const { jobs } = JSON.parse((await at.inside('jobs', '--state', 'running', '--json')).stdout);
  assert.deepEqual(jobs, []);
});

test('a daemon killed in the middle of a backup loses nothing that was reported as done', async (t) => {
  const at = await home(t, { plan: 'manual: true, retry: { attempts: 2, backoff: 1s }' });
  await at.inside('apply', '--auto-approve');
  const { backup: first } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  await writeFile(join(at.data, 'large'), randomBytes(96 * 1024 * 1024));
  const plan = 'schedule: "* * * * * *", retry: { attempts: 2, backoff: 1s }';
  await at.write(yamlFor(at.folder, plan));

  const killed = await startDaemon(t, at);
  const packs = async () => (await readdir(join(at.repository, 'data'), { recursive: true })).length;
  const before = await packs();
  await waitFor('a backup on its way', async () => (await packs()) > before, { timeoutMs: 60_000 });
  await killed.end('SIGKILL');
  const run = await restic(t, at.repository, password);
  await run(['check', '--no-lock']);

  const next = await startDaemon(t, at);
  await waitFor('the lost job to be settled and a backup to succeed', async () => (await scheduledBackups(at)) > 0, {
    timeoutMs: 90_000,
  });
  assert.match(next.output(), /JOB_LOST/);
  await next.end('SIGTERM', 60_000);
  await run(['check', '--read-data']);
  for (const [args, folder] of [
    [['--backup', first, '--only', join(at.data, 'one.txt')], 'old'],
    [['--verify'], 'new'],
  ] as const) {
    const told = await at.inside('restore', 'docs', '--into', `./${folder}`, ...args);
    assert.equal(told.code, 0, told.stderr);
  }
  assert.equal(await readFile(join(at.folder, 'old', at.data, 'one.txt'), 'utf8'), 'one\n');
  assertSameTrees(join(at.folder, 'new', at.data), at.data);
});

test('a job is a process that shows no secret, and whose death the daemon survives', async (t) => {
  const at = await home(t);
  const secret = 'only in the memory';
  const inEnvironment = (plan: string) => yamlFor(at.folder, plan).replace(/\$\{file:[^}]*\}/, '${env:BOX}');
  await at.write(inEnvironment('manual: true'));
  await writeFile(join(at.data, 'large'), randomBytes(96 * 1024 * 1024));
  await at.write(inEnvironment('schedule: "* * * * * *"'));
  const daemon = await startDaemon(t, at, { env: { BOX: secret } });
  const child = await waitFor('a job process', async () => (await childrenOf(daemon.pid))[0], { everyMs: 10 });
  for (const file of ['cmdline', 'environ']) {
    assert.ok(!(await readFile(`/proc/${child}/${file}`, 'utf8')).includes(secret));
  }
  process.kill(child, 'SIGKILL');
  await waitFor('the job to be lost', () =>
    /JOB_LOST: the process of the job was ended by SIGKILL/.test(daemon.output()),
  );
  await waitFor('the next backup', async () => (await scheduledBackups(at)) > 0, { timeoutMs: 60_000 });
  await daemon.end('SIGTERM', 60_000);
  await (await restic(t, at.repository, secret))(['check']);
});
