import type { PlanStatus } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import { latestTime, nextTimes, scheduledTimes, startDelayMs, type Timetable } from './times.ts';

/** What has a schedule: a plan, or the freeing of space in a destination. */
export type Scheduled = Timetable & Pick<PlanSettings, 'windowMs' | 'missed'>;

/** A plan as the scheduler sees it. */
export interface ScheduledPlan<Settings extends Scheduled = Scheduled> {
  readonly settings: Settings;
  readonly status: Pick<PlanStatus, 'scheduledThrough' | 'pausedAt' | 'suspended'>;
  /** Where scheduling begins for a plan whose status does not say it: when it was applied. */
  readonly since: Date;
  /** True while a backup of it is queued or runs. */
  readonly active: boolean;
}

/** What to do about one plan now. `from` is the `scheduledThrough` that the decision was made on; `to` the next one. */
export type Decision =
  | (DecisionBase & {
      readonly action: 'run';
      readonly trigger: 'schedule' | 'missed';
      readonly scheduledFor: Date;
      /** The end of the plan's window: past it the run may not start. */
      readonly startBy?: Date;
      readonly from: Date | undefined;
      readonly to: Date;
      /** Earlier times that nobody ran; this run stands for them. */
      readonly missed?: MissedTimes;
    })
  | (DecisionBase & {
      readonly action: 'missed';
      readonly from: Date | undefined;
      readonly to: Date;
      readonly missed: MissedTimes;
    })
  /** The time passes without a run and without being missed: the plan is paused, or the clock was ahead. */
  | (DecisionBase & {
      readonly action: 'pass';
      readonly isAhead?: true;
      readonly from: Date | undefined;
      readonly to: Date;
    })
  /** A run is due and has to wait; it is decided again later. */
  | (DecisionBase & { readonly action: 'wait' });

interface DecisionBase {
  readonly plan: string;
  readonly reason: string;
}

/** Scheduled times from `first` to `last`; the same when it is one. */
export interface MissedTimes {
  readonly first: Date;
  readonly last: Date;
}

/** Later than this a run without a window counts as missed. */
const punctualMs = 60_000;
/** A missed run is not caught up when the next one starts within this, or within a quarter of the interval. */
const nearMs = 30 * 60_000;

/** Decides for every plan that has something due at `now`. Pure; at most one decision per plan. */
export function due(plans: readonly ScheduledPlan[], now: Date): readonly Decision[] {
  return plans.map((plan) => decide(plan, now)).filter((decision) => decision !== undefined);
}

function decide(plan: ScheduledPlan, now: Date): Decision | undefined {
  const { settings, status } = plan;
  const base = status.scheduledThrough ?? plan.since;
  if (isAhead(base, now)) return beginAnew(plan, base, now);
  const latest = latestTime(settings, base, new Date(now.getTime() - startDelayMs(settings)));
  if (latest === undefined) return undefined;
  const span = { plan: settings.name, from: status.scheduledThrough, to: latest };
  if (status.pausedAt !== undefined) return { ...span, action: 'pass', reason: 'the plan is paused' };
  const first = [...scheduledTimes(settings, base).take(1)][0]!;
  const lateMs = now.getTime() - latest.getTime() - startDelayMs(settings);
  const hold = holdReason(plan);
  if (settings.windowMs !== undefined && lateMs > settings.windowMs) {
    const reason = `the window of the run has passed${hold === undefined ? '' : `: ${hold}`}`;
    return { ...span, action: 'missed', missed: { first, last: latest }, reason };
  }
  if (hold !== undefined) return { plan: settings.name, action: 'wait', reason: hold };
  const earlier = first < latest ? { missed: { first, last: lastBefore(settings, first, latest) } } : {};
  return lateMs <= (settings.windowMs ?? punctualMs)
    ? { ...span, ...start(settings, latest), ...earlier, action: 'run', trigger: 'schedule', reason: 'it is time' }
    : late(plan, { ...span, ...start(settings, latest), ...earlier }, first, now);
}

/** A step back of the clock by this, as when a time server sets it right, leaves what was scheduled as it is: no run comes twice. */
const stepMs = 3_600_000;

/** Nothing is scheduled through a time that is still to come, but by a clock that ran ahead. */
export function isAhead(time: Date, now: Date): boolean {
  return time.getTime() - now.getTime() > stepMs;
}

function beginAnew({ settings, status }: ScheduledPlan, base: Date, now: Date): Decision {
  const reason = `the clock was ahead: it was scheduled through ${base.toISOString()}, and begins anew`;
  const to = new Date(now.getTime() - startDelayMs(settings));
  return { plan: settings.name, action: 'pass', isAhead: true, reason, from: status.scheduledThrough, to };
}

function holdReason({ status, active }: ScheduledPlan): string | undefined {
  if (status.suspended !== undefined) return status.suspended.text;
  return active ? 'the run before is not finished' : undefined;
}

function start(settings: Scheduled, latest: Date): { scheduledFor: Date; startBy?: Date } {
  if (settings.windowMs === undefined) return { scheduledFor: latest };
  const startBy = new Date(latest.getTime() + startDelayMs(settings) + settings.windowMs);
  return { scheduledFor: latest, startBy };
}

type Late = Omit<Decision & { action: 'run' }, 'action' | 'trigger' | 'reason'>;

/** Nobody was there at the time: once for all missed times, unless the plan wants none or the next run is near. */
function late(plan: ScheduledPlan, run: Late, first: Date, now: Date): Decision {
  const { plan: name, from, to } = run;
  const missed = { plan: name, from, to, missed: { first, last: to }, action: 'missed' } as const;
  if (plan.settings.missed === 'skip')
    return { ...missed, reason: 'the run was missed and the plan skips missed runs' };
  const next = nextTimes(plan.settings, now)[0];
  if (next !== undefined && isNear(next, run.scheduledFor, now)) {
    return { ...missed, reason: `the run was missed and the next one starts at ${next.toISOString()}` };
  }
  return { ...run, action: 'run', trigger: 'missed', reason: 'a missed run is caught up' };
}

function isNear(next: Date, missedAt: Date, now: Date): boolean {
  const quarterMs = (next.getTime() - missedAt.getTime()) / 4;
  return next.getTime() - now.getTime() < Math.min(nearMs, quarterMs);
}

function lastBefore(settings: Scheduled, first: Date, latest: Date): Date {
  return latestTime(settings, first, new Date(latest.getTime() - 1)) ?? first;
}
