import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../../core/job/index.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { waitFor } from '../../kit/process.ts';
import { applyByHand, home, startDaemon, yaml } from './daemon-kit.ts';

const manual = yaml({ nightly: {} });
const hourly = { schedule: '0 * * * *', timezone: 'UTC', graceMs: 0, maxUnused: 'unlimited' } as const;

test('a destination is pruned at its times, not for times before it was known, and once for those that were missed', async (t) => {
  const at = await home(t, manual, fastClock(3600));
  await applyByHand(at);
  const ran: string[] = [];
  const operation: Operation = async (job) => {
    ran.push(`${job.trigger} ${String(job.request.scheduledFor)}`);
    return { result: {}, partial: false };
  };
  const began = at.clock.now();
  const daemon = await startDaemon(t, at, { change: () => ({ prune: hourly, operation }) });
  await waitFor('two runs', () => ran.length >= 2);
  const times = ran.map((one) => new Date(one.split(' ')[1]!).getTime());
  assert.ok(
    times.every((time) => time > began.getTime() && time % 3_600_000 === 0),
    ran.join(),
  );
  assert.equal(new Set(times).size, times.length);
  await daemon.stop();
  const [status] = await at.catalog.destinations.list();
  await at.catalog.destinations.schedule({
    from: status,
    to: { ...status!, scheduledThrough: new Date(status!.scheduledThrough.getTime() - 10 * 3_600_000) },
  });
  const before = ran.length;
  await startDaemon(t, at, { change: () => ({ prune: hourly, operation }) });
  await waitFor('it is caught up', () => ran.length > before);
  assert.ok(ran.length - before <= 2, `once for all that was missed: ${ran.slice(before).join()}`);
});

test('`manual` prunes nothing by itself, and a new timetable begins anew', async (t) => {
  const at = await home(t, manual, fastClock(3600));
  await applyByHand(at);
  const operation: Operation = async () => ({ result: {}, partial: false });
  const { schedule: _, ...byHand } = hourly;
  const daemon = await startDaemon(t, at, { change: () => ({ prune: byHand, operation }) });
  const later = at.clock.now().getTime() + 3 * 3_600_000;
  await waitFor('three hours', () => at.clock.now().getTime() > later);
  assert.deepEqual(await at.catalog.jobs.list(), []);
  await daemon.stop();
  const old = { destination: 'nas', timetable: '0 0 * * * UTC', scheduledThrough: new Date(0) };
  await at.catalog.destinations.schedule({ from: undefined, to: old });
  const since = at.clock.now();
  await startDaemon(t, at, { change: () => ({ prune: hourly, operation }) });
  const [first] = await waitFor('a run', async () => {
    const jobs = await at.catalog.jobs.list({ kind: 'prune' });
    return jobs.length > 0 ? jobs : undefined;
  });
  assert.ok(new Date(String(first!.request.scheduledFor)) > since, JSON.stringify(first));
});

test('a destination that no prune succeeds in is loud', async (t) => {
  const at = await home(t, manual, fastClock(3600, undefined, new Date('2026-02-01T00:00:00Z')));
  await applyByHand(at);
  const later = { ...at, clock: fastClock(3600) };
  const operation: Operation = async () => ({ result: { warnings: ['held up by somebody'] }, partial: true });
  await startDaemon(t, later, { change: () => ({ prune: hourly, operation }) });
  const overdue = await waitFor('the event that says why', async () =>
    (await at.catalog.events.list({ kind: 'prune.overdue' })).find(({ text }) => text.includes('held up by somebody')),
  );
  assert.equal(overdue.subject, 'destinations.nas');
  assert.match(overdue.text, /nas was never pruned/);
});
