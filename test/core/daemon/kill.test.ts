import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fastClock } from '../../kit/fast-clock.ts';
import { start, waitFor } from '../../kit/process.ts';
import { dueNow, home, makeDue, startDaemon, yaml } from './daemon-kit.ts';

test('a daemon that is killed in the middle of a backup leaves a job that the next one runs to its end', async (t) => {
  const originMs = performance.timeOrigin + performance.now();
  const plan = { ...dueNow, extra: `${dueNow.extra}, retry: { attempts: 2, backoff: 1s }` };
  const at = await home(t, yaml({ once: plan }), fastClock(10, originMs));
  await makeDue(at, 'once');
  const script = join(import.meta.dirname, 'daemon-process.ts');
  const killed = await start(t, process.execPath, [script, at.folder, String(originMs)]);
  const [running] = await waitFor('the run', async () => {
    const jobs = await at.catalog.jobs.list({ states: ['running'] });
    return jobs.length > 0 ? jobs : undefined;
  });
  assert.equal(running?.lease?.owner, 'killed');
  await killed.end('SIGKILL');
  await startDaemon(t, at, { owner: 'next' });
  const job = await waitFor('the job', async () => {
    const seen = await at.catalog.jobs.get(running!.id);
    return seen.state === 'succeeded' ? seen : undefined;
  });
  assert.equal(job.attempt, 2);
  assert.equal((await at.catalog.jobs.list()).length, 1);
  const events = await at.catalog.events.list({ subject: 'plans.once' });
  assert.ok(events.some(({ kind, text }) => kind === 'job.retried' && text.includes('JOB_LOST')));
});
