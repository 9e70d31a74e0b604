import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanStatus } from '../../../core/catalog/catalog.ts';
import type { PlanSettings } from '../../../core/config/types.ts';
import { pruneOverdue, pruneUnfinished } from '../../../core/prune-age.ts';
import { due, type ScheduledPlan } from '../../../core/schedule/index.ts';

const hourMs = 3_600_000;

interface Given {
  settings?: Partial<PlanSettings>;
  status?: Partial<PlanStatus>;
  since?: Date;
  active?: boolean;
}

function day(text: string): Date {
  return new Date(`2026-11-${text}Z`);
}

function plan(given: Given = {}): ScheduledPlan {
  const settings: PlanSettings = {
    name: 'nightly',
    source: 'shop',
    type: 'logical',
    paths: [],
    schedule: '0 1 * * *',
    timezone: 'UTC',
    jitterMs: 0,
    destinations: ['nas'],
    include: [],
    exclude: [],
    retry: { attempts: 1, backoffMs: 0 },
    missed: 'run-once',
    ...given.settings,
  };
  const status = { plan: 'nightly', scheduledThrough: day('10T01:00:00'), ...given.status };
  return { settings, status, since: given.since ?? day('01T00:00:00'), active: given.active ?? false };
}

function decide(given: Given, now: Date) {
  const decisions = due([plan(given)], now);
  assert.ok(decisions.length <= 1);
  return decisions[0];
}

test('nothing is due before its time, and a run is at it', () => {
  assert.equal(decide({}, day('11T00:59:59')), undefined);
  assert.deepEqual(decide({}, day('11T01:00:00')), {
    plan: 'nightly',
    action: 'run',
    trigger: 'schedule',
    scheduledFor: day('11T01:00:00'),
    from: day('10T01:00:00'),
    to: day('11T01:00:00'),
    reason: 'it is time',
  });
});

test('what was scheduled is not due again', () => {
  assert.equal(decide({ status: { scheduledThrough: day('11T01:00:00') } }, day('11T05:00:00')), undefined);
});

test('a plan that never was scheduled starts from when it was applied', () => {
  const fresh = { status: { scheduledThrough: undefined }, since: day('11T00:30:00') };
  assert.equal(decide(fresh, day('11T00:45:00')), undefined);
  const decision = decide(fresh, day('11T01:00:00'));
  assert.ok(decision?.action === 'run' && decision.from === undefined && decision.missed === undefined);
});

test('a missed run is caught up once, for all that were missed', () => {
  const decision = decide({}, day('14T05:00:00'));
  assert.ok(decision?.action === 'run');
  assert.equal(decision.trigger, 'missed');
  assert.deepEqual(decision.scheduledFor, day('14T01:00:00'));
  assert.deepEqual(decision.missed, { first: day('11T01:00:00'), last: day('13T01:00:00') });
  assert.equal(decide({ status: { scheduledThrough: decision.to } }, day('14T06:00:00')), undefined);
});

test('a missed run is not caught up when the next one is near', () => {
  assert.equal(decide({}, day('12T00:15:00'))?.action, 'run');
  const decision = decide({}, day('12T00:45:00'));
  assert.ok(decision?.action === 'missed');
  assert.match(decision.reason, /next one starts at 2026-11-12T01:00/);
});

test('near is a quarter of a short interval', () => {
  const hourly = { settings: { schedule: '0 * * * *' }, status: { scheduledThrough: day('11T01:00:00') } };
  assert.equal(decide(hourly, day('11T02:40:00'))?.action, 'run');
  assert.equal(decide(hourly, day('11T02:50:00'))?.action, 'missed');
});

test('skip records the missed runs', () => {
  const decision = decide({ settings: { missed: 'skip' } }, day('12T05:00:00'));
  assert.ok(decision?.action === 'missed');
  assert.deepEqual(decision.missed, { first: day('11T01:00:00'), last: day('12T01:00:00') });
});

test('skip still runs what is due now, and tells the missed ones before it', () => {
  const decision = decide({ settings: { missed: 'skip' } }, day('12T01:00:30'));
  assert.ok(decision?.action === 'run' && decision.trigger === 'schedule');
  assert.deepEqual(decision.missed, { first: day('11T01:00:00'), last: day('11T01:00:00') });
});

test('a window lets a run start late, and past it the run is missed', () => {
  const windowed = { settings: { windowMs: 6 * hourMs } };
  const decision = decide(windowed, day('11T07:00:00'));
  assert.ok(decision?.action === 'run' && decision.trigger === 'schedule');
  assert.deepEqual(decision.startBy, day('11T07:00:00'));
  assert.equal(decide(windowed, day('11T07:00:01'))?.action, 'missed');
});

test('jitter moves the start and the end of the window, not the scheduled time', () => {
  const jittered = { settings: { jitterMs: hourMs, windowMs: hourMs } };
  assert.equal(decide(jittered, day('11T01:00:00')), undefined);
  const decision = decide(jittered, day('11T02:00:00'));
  assert.ok(decision?.action === 'run' && decision.startBy! > day('11T02:00:00'));
  assert.deepEqual(decision.to, day('11T01:00:00'));
});

test('a paused plan lets its times pass without a run or a miss', () => {
  const decision = decide({ status: { pausedAt: day('10T12:00:00') } }, day('13T05:00:00'));
  assert.deepEqual([decision?.action, decision?.action === 'pass' && decision.to], ['pass', day('13T01:00:00')]);
});

test('a suspended plan and a plan whose run goes on wait', () => {
  const suspended = { reason: 'source-down', since: day('10T12:00:00'), text: 'shop does not answer' } as const;
  assert.deepEqual(decide({ status: { suspended } }, day('11T01:00:00')), {
    plan: 'nightly',
    action: 'wait',
    reason: 'shop does not answer',
  });
  assert.equal(decide({ active: true }, day('11T01:00:00'))?.action, 'wait');
});

test('a run that waits past its window is missed, and says what it waited for', () => {
  const decision = decide({ settings: { windowMs: hourMs }, active: true }, day('11T03:00:00'));
  assert.ok(decision?.action === 'missed');
  assert.match(decision.reason, /window .* has passed: the run before is not finished/);
});

test('a manual plan is never due', () => {
  assert.equal(decide({ settings: { schedule: undefined } }, day('20T00:00:00')), undefined);
});

test('a long absence with a schedule of every second is decided quickly', () => {
  const started = performance.now();
  const decision = decide(
    { settings: { schedule: '* * * * * *' }, status: { scheduledThrough: new Date('2016-01-01T00:00:00Z') } },
    day('11T01:00:00'),
  );
  assert.ok(decision?.action === 'run' && decision.trigger === 'schedule');
  assert.ok(performance.now() - started < 2000);
});

test('deciding again after every decision goes on without gaps and without doubles', () => {
  const every = { settings: { schedule: '*/7 * * * *', timezone: 'Europe/Berlin' } };
  let through = new Date('2026-10-24T22:00:00Z');
  const ran: number[] = [];
  for (let now = through.getTime(); now < Date.parse('2026-10-25T06:00:00Z'); now += 59_000) {
    const decision = decide({ ...every, status: { scheduledThrough: through } }, new Date(now));
    if (decision?.action !== 'run') continue;
    assert.equal(decision.missed, undefined);
    ran.push(decision.scheduledFor.getTime());
    through = decision.to;
  }
  assert.equal(ran.length, 8 * 9 - 1);
  assert.equal(new Set(ran).size, ran.length);
});

test('what a clock that ran ahead scheduled begins anew, and a small step back makes no run come twice', () => {
  const ahead = { status: { scheduledThrough: new Date('2030-01-01T01:00:00Z') } };
  const anew = decide(ahead, day('11T05:00:00'));
  assert.ok(anew?.action === 'pass' && anew.isAhead);
  assert.deepEqual(anew.to, day('11T05:00:00'));
  assert.equal(decide({ status: { scheduledThrough: anew.to } }, day('12T01:00:00'))?.action, 'run');
  const ran = { status: { scheduledThrough: day('11T01:00:00') } };
  assert.equal(decide(ran, day('11T00:30:00')), undefined);
  assert.equal(decide(ran, day('11T01:00:01')), undefined);
});

test('a newest prune that is dated in the future is told', async () => {
  const jobs = { list: async () => [{ state: 'succeeded', endedAt: new Date('2030-01-01T01:00:00Z') }] };
  const state = { resources: new Map([['destinations.disk', { createdAt: day('01T00:00:00') }]]) };
  const settings = { schedule: '0 3 * * *', timezone: 'UTC', graceMs: 0, maxUnused: 'unlimited' } as const;
  const told = await pruneOverdue({ jobs } as never, state as never, settings, 'disk', day('11T00:00:00'));
  assert.match(told!, /dated .*still to come/);
});

test('a prune that waits to be tried again says until when, and after which error', async () => {
  const error = { code: 'JOB_LOST', message: 'its process died' };
  const waiting = { state: 'queued', error, notBefore: day('11T00:10:00') };
  const jobs = { list: async ({ states }: { states: string[] }) => (states.includes('queued') ? [waiting] : []) };
  const told = await pruneUnfinished({ jobs } as never, 'disk');
  assert.match(told!, /^the prune of disk waits until .* to be tried again: JOB_LOST: its process died$/);
});
