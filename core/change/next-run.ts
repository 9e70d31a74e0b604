import type { Resource } from '../config/index.ts';
import { nextStart, sameTimes } from '../schedule/index.ts';
import type { Consequence } from './change-set.ts';
import type { World } from './rule.ts';
import { timetableOf } from './timetable.ts';

/** When a new plan runs for the first time. */
export function firstRun(plan: Resource, { now }: World): readonly Consequence[] {
  const time = nextStart(timetableOf(plan), now, now);
  if (time === undefined) return [{ kind: 'next-run', text: `runs by hand only: \`tidemark backup ${plan.name}\`` }];
  return [{ kind: 'next-run', text: `runs first at ${formatTime(time, plan)}`, after: time.toISOString() }];
}

/** How the next run moves when the timetable of a plan changes. */
export function movedRun(before: Resource, after: Resource, world: World): readonly Consequence[] {
  const status = world.observed.plans.find(({ plan }) => plan === after.name);
  const [from, to] = [timetableOf(before), timetableOf(after)];
  const old = nextStart(from, world.now, status?.scheduledThrough);
  const next = nextStart(to, world.now, sameTimes(from, to) ? status?.scheduledThrough : world.now);
  const paused = status?.pausedAt !== undefined;
  const text = moveText(old && formatTime(old, before), next && formatTime(next, after), after.name);
  return [
    {
      kind: 'next-run',
      text: paused ? `${text}; the plan is paused and stays so` : text,
      ...(old === undefined ? {} : { before: old.toISOString() }),
      ...(next === undefined ? {} : { after: next.toISOString() }),
    },
  ];
}

/** The run that a removed plan will not make. */
export function lastRun(plan: Resource, { now, observed }: World): readonly Consequence[] {
  const status = observed.plans.find((one) => one.plan === plan.name);
  const time = nextStart(timetableOf(plan), now, status?.scheduledThrough);
  if (time === undefined) return [];
  return [
    { kind: 'next-run', text: `the run at ${formatTime(time, plan)} will not happen`, before: time.toISOString() },
  ];
}

function moveText(old: string | undefined, next: string | undefined, plan: string): string {
  if (next === undefined) return `runs by hand only from now on: \`tidemark backup ${plan}\``;
  if (old === undefined) return `runs by itself from now on, first at ${next}`;
  return old === next ? `the next run stays at ${next}` : `the next run moves from ${old} to ${next}`;
}

/** In the plan's own time zone: `2026-03-02 00:00 Asia/Shanghai`. */
function formatTime(time: Date, plan: Resource): string {
  const { timezone: timeZone } = timetableOf(plan);
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(time);
  return `${text} ${timeZone}`;
}
