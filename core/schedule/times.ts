import { hash } from 'node:crypto';
import { Cron, CronPattern } from 'croner';
import type { PlanSettings } from '../config/index.ts';
import { zoneClock } from '../zone-clock.ts';

/** The part of a plan that says when it runs. */
export type Timetable = Pick<PlanSettings, 'name' | 'schedule' | 'timezone' | 'jitterMs'>;

const mode = '5-or-6-parts';

/**
 * The start times of a plan after `after`, in order, jitter included; none for a manual plan.
 *
 * Around a change of the clock: a pattern that names hours (`30 2`, `0 *\/2`) runs once for each wall time that it
 * names, right after the jump when the clock leaves it out, the first time when it comes twice. A pattern for every hour
 * keeps its rhythm in real time.
 */
export function nextTimes(plan: Timetable, after: Date, count = 1): readonly Date[] {
  const jitterMs = startDelayMs(plan);
  const nominal = scheduledTimes(plan, new Date(after.getTime() - jitterMs)).take(count);
  return [...nominal].map((time) => new Date(time.getTime() + jitterMs));
}

/** When a plan starts for the first time after `now`, its scheduling standing at `through`; undefined for a manual plan. */
export function nextStart(plan: Timetable, now: Date, through: Date | undefined): Date | undefined {
  const delayMs = startDelayMs(plan);
  const after = Math.max(now.getTime() - delayMs, through?.getTime() ?? Number.NEGATIVE_INFINITY);
  const [next] = scheduledTimes(plan, new Date(after)).take(1);
  return next === undefined ? undefined : new Date(next.getTime() + delayMs);
}

/** Whether two timetables name the same times, so that scheduling may go on where it stands. */
export function sameTimes(a: Timetable, b: Timetable): boolean {
  return a.schedule === b.schedule && a.timezone === b.timezone && a.jitterMs === b.jitterMs;
}

/** Where the scheduling of a plan stands that starts nothing of what was due until `now`. */
export function passedUntil(plan: Timetable, now: Date, through: Date | undefined): Date {
  return new Date(Math.max(now.getTime() - startDelayMs(plan), through?.getTime() ?? 0));
}

/** The times that the cron pattern names after `after`: what `PlanStatus.scheduledThrough` counts in. */
export function* scheduledTimes(plan: Timetable, after: Date): Generator<Date, undefined> {
  if (plan.schedule === undefined) return;
  const pattern = new CronPattern(plan.schedule, 'UTC', { mode });
  const source = pattern.hour.every(Boolean) ? rhythmTimes : wallTimes;
  yield* source(plan.schedule, plan.timezone, after);
}

/** How much later than its scheduled times a plan starts: spread over the plans by name, so that intervals stay even. */
export function startDelayMs(plan: Timetable): number {
  if (plan.jitterMs === 0) return 0;
  const share = Number.parseInt(hash('sha256', plan.name).slice(0, 8), 16) / 2 ** 32;
  return Math.floor((share * plan.jitterMs) / 1000) * 1000;
}

/** The longest time between two successive runs among the next ones; undefined for a manual plan. */
export function expectedIntervalMs(plan: Timetable, now: Date): number | undefined {
  const times = [...scheduledTimes(plan, now).take(9)].map((time) => time.getTime());
  const gaps = times.slice(1).map((time, at) => time - times[at]!);
  return gaps.length === 0 ? undefined : Math.max(...gaps);
}

/** The last scheduled time in `(from, to]`, found without walking through all of them. */
export function latestTime(plan: Timetable, from: Date, to: Date): Date | undefined {
  const hourMs = 3_600_000;
  const [first] = scheduledTimes(plan, from).take(1);
  if (first === undefined || first > to) return undefined;
  for (const spanMs of [60_000, hourMs, 24 * hourMs, 32 * 24 * hourMs, 370 * 24 * hourMs, Number.POSITIVE_INFINITY]) {
    const start = new Date(Math.max(from.getTime(), to.getTime() - spanMs));
    let latest: Date | undefined;
    for (const time of scheduledTimes(plan, start)) {
      if (time > to) break;
      latest = time;
    }
    if (latest !== undefined || start <= from) return latest;
  }
  return undefined;
}

/** The zone `UTC`, without Intl, whose first format costs a process 10 ms and 8 MiB. */
const inUtc = { utcOffset: 0 };

function* rhythmTimes(schedule: string, timezone: string, after: Date): Generator<Date, undefined> {
  const cron = new Cron(schedule, { ...(timezone === 'UTC' ? inUtc : { timezone }), mode, paused: true });
  for (let time = cron.nextRun(after); time !== null; time = cron.nextRun(time)) yield time;
}

function* wallTimes(schedule: string, timezone: string, after: Date): Generator<Date, undefined> {
  const cron = new Cron(schedule, { ...inUtc, mode, paused: true });
  const zone = zoneClock(timezone);
  let lastMs = after.getTime();
  for (let wall = cron.nextRun(new Date(zone.wallMs(lastMs))); wall !== null; wall = cron.nextRun(wall)) {
    const instantMs = zone.instantMs(wall.getTime());
    if (instantMs <= lastMs) continue;
    lastMs = instantMs;
    yield new Date(instantMs);
  }
}
