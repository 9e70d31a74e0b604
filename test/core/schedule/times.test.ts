import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectedIntervalMs, nextTimes, type Timetable } from '../../../core/schedule/index.ts';

const hourMs = 3_600_000;
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Shanghai',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Chatham',
];

function timetable(schedule: string | undefined, timezone = 'UTC', jitterMs = 0, name = 'nightly'): Timetable {
  return { name, schedule, timezone, jitterMs };
}

function iso(times: readonly Date[]): string[] {
  return times.map((time) => time.toISOString().replace('.000Z', 'Z'));
}

/** What the wall shows, read in another way than the code under test does. */
function wallClock(timezone: string): (instant: number) => { date: string; hour: number; minute: number } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  return (instant) => {
    const [date = '', time = ''] = format.format(instant).split(' ');
    const [hour, minute] = time.split(':');
    return { date, hour: Number(hour), minute: Number(minute) };
  };
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Instants, to the minute, at which the zone's offset changes in the year. */
function clockChanges(timezone: string, year: number): number[] {
  const wall = wallClock(timezone);
  const offset = (instant: number) => {
    const { date, hour, minute } = wall(instant);
    return Date.parse(`${date}T00:00Z`) + (hour * 60 + minute) * 60_000 - instant;
  };
  const changes: number[] = [];
  for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += 24 * hourMs) {
    let minute = at;
    while (offset(at) !== offset(at + 24 * hourMs) && offset(minute) === offset(at)) minute += 60_000;
    if (minute !== at) changes.push(minute);
  }
  return changes;
}

test('a daily run happens once for every date of the wall, in every zone and year', () => {
  const seed = Date.now();
  const random = randomFrom(seed);
  for (const timezone of zones) {
    const year = 2012 + random(18);
    const [hour, minute] = [random(4), random(60)];
    const context = `seed ${seed} ${timezone} ${year} ${minute} ${hour}`;
    const wall = wallClock(timezone);
    const changes = clockChanges(timezone, year);
    const start = new Date(Date.UTC(year, 0, 1));
    const runs = nextTimes(timetable(`${minute} ${hour} * * *`, timezone), start, 364).map(Number);
    const dates = runs.map((run) => wall(run).date);
    assert.equal(new Set(dates).size, 364, `${context}: some date has two runs or none`);
    assert.equal((Date.parse(dates.at(-1)!) - Date.parse(dates[0]!)) / (24 * hourMs), 363, context);
    for (const run of runs) {
      const shown = wall(run);
      const onTime = shown.hour === hour && shown.minute === minute;
      assert.ok(onTime || changes.includes(run), `${context}: ${new Date(run).toISOString()}`);
      const earlier = [0.5, 1, 2].map((hours) => wall(run - hours * hourMs));
      assert.ok(
        !earlier.some((one) => onTime && one.hour === hour && one.minute === minute),
        `${context}: second of two`,
      );
    }
  }
});

test('a run of every hour keeps its rhythm through each change of the clock', () => {
  for (const timezone of zones) {
    const wall = wallClock(timezone);
    for (const change of clockChanges(timezone, 2026)) {
      const start = change - 3 * hourMs;
      const expected: number[] = [];
      for (let at = start + 60_000; at < change + 3 * hourMs; at += 60_000) {
        if (wall(at).minute % 20 === 5) expected.push(at);
      }
      const runs = nextTimes(timetable('5,25,45 * * * *', timezone), new Date(start), expected.length);
      assert.deepEqual(iso(runs), iso(expected.map((at) => new Date(at))), timezone);
    }
  }
});

test('a wall time that is left out runs right after the jump, once', () => {
  const run = (schedule: string, zone: string, from: string, count: number) =>
    iso(nextTimes(timetable(schedule, zone), new Date(from), count));
  const spring = '2026-03-28T12:00:00Z';
  assert.deepEqual(run('30 2 * * *', 'Europe/Berlin', spring, 2), ['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']);
  assert.deepEqual(run('*/15 2 * * *', 'Europe/Berlin', spring, 2), ['2026-03-29T01:00:00Z', '2026-03-30T00:00:00Z']);
  assert.deepEqual(run('0 */2 * * *', 'Europe/Berlin', '2026-03-28T22:30:00Z', 3), [
    '2026-03-28T23:00:00Z',
    '2026-03-29T01:00:00Z',
    '2026-03-29T02:00:00Z',
  ]);
  assert.deepEqual(run('0 12 * * *', 'Pacific/Apia', '2011-12-29T23:00:00Z', 3), [
    '2011-12-30T10:00:00Z',
    '2011-12-30T22:00:00Z',
    '2011-12-31T22:00:00Z',
  ]);
});

test('a wall time that comes twice runs the first time only, also when asked in between', () => {
  const plan = timetable('30 2 * * *', 'Europe/Berlin');
  assert.deepEqual(iso(nextTimes(plan, new Date('2026-10-24T12:00:00Z'), 2)), [
    '2026-10-25T00:30:00Z',
    '2026-10-26T01:30:00Z',
  ]);
  assert.deepEqual(iso(nextTimes(plan, new Date('2026-10-25T00:45:00Z'))), ['2026-10-26T01:30:00Z']);
});

test('the next time is later than the given one, to the millisecond', () => {
  const plan = timetable('*/10 * * * * *');
  assert.deepEqual(iso(nextTimes(plan, new Date('2026-01-01T00:00:10.000Z'))), ['2026-01-01T00:00:20Z']);
  assert.deepEqual(iso(nextTimes(plan, new Date('2026-01-01T00:00:09.999Z'))), ['2026-01-01T00:00:10Z']);
});

test('jitter delays every run of a plan alike and different plans differently', () => {
  const at = (name: string) =>
    nextTimes(timetable('0 0 * * *', 'UTC', hourMs, name), new Date('2026-01-01T12:00:00Z'), 3).map(Number);
  const first = at('a');
  assert.deepEqual(first, at('a'));
  assert.equal(first[1]! - first[0]!, 24 * hourMs);
  const delays = ['a', 'b', 'c', 'd'].map((name) => at(name)[0]! - Date.parse('2026-01-02T00:00:00Z'));
  assert.equal(new Set(delays).size, 4);
  assert.ok(delays.every((delay) => delay >= 0 && delay < hourMs));
});

test('the time between two starts of a jittered plan finds the run that is still to start', () => {
  const plan = timetable('0 0 * * *', 'UTC', hourMs, 'a');
  const [start] = nextTimes(plan, new Date('2026-01-01T12:00:00Z'));
  assert.deepEqual(nextTimes(plan, new Date('2026-01-02T00:00:01Z')), [start]);
});

test('the expected interval is the longest gap of the timetable', () => {
  const now = new Date('2026-11-20T00:00:00Z');
  assert.equal(expectedIntervalMs(timetable('0 1 * * *'), now), 24 * hourMs);
  assert.equal(expectedIntervalMs(timetable('0 1 * * 1-5'), now), 72 * hourMs);
  assert.equal(expectedIntervalMs(timetable(undefined), now), undefined);
});

test('a manual plan and a date that never comes have no times', () => {
  assert.deepEqual(nextTimes(timetable(undefined), new Date(0)), []);
  assert.deepEqual(nextTimes(timetable('0 0 30 2 *'), new Date('2026-01-01T00:00:00Z')), []);
});
