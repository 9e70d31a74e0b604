import type { DaemonRecord, Job } from '../catalog/index.ts';
import { expectedIntervalMs, isAhead } from '../schedule/index.ts';
import { formatDuration, formatTime } from '../units.ts';
import type { PlanOverview, SourceOverview } from './overview.ts';

/** Why what a plan protects is not safe, for people. */
export function planProblems({ settings, status, newest, lastError }: PlanOverview, now: Date): string[] {
  const { name } = settings;
  const problems: string[] = [];
  if (status.suspended !== undefined) problems.push(`${name} is suspended: ${status.suspended.text}`);
  if (status.pausedAt !== undefined) problems.push(`${name} is paused since ${formatTime(status.pausedAt)}`);
  if (lastError !== undefined) problems.push(`${name}: ${lastError}`);
  if (newest === undefined) problems.push(`${name} has no backup yet`);
  else if (newest.partial) problems.push(`the newest backup of ${name} is partial`);
  if (newest !== undefined && isAhead(newest.endedAt, now))
    problems.push(
      `the newest backup of ${name} is dated ${formatTime(newest.endedAt)}, which is still to come: the clock was or is wrong`,
    );
  const intervalMs = expectedIntervalMs(settings, now);
  const ageMs = newest === undefined ? 0 : now.getTime() - newest.endedAt.getTime();
  if (intervalMs !== undefined && ageMs > intervalMs + graceMs(intervalMs)) {
    problems.push(
      `${name} should run every ${formatDuration(intervalMs)}; its newest backup is ${formatDuration(ageMs)} old`,
    );
  }
  return problems;
}

/** That what the source holds may be half, and so may its backups. */
export function restoreProblems(unfinished: Job | undefined): string[] {
  if (unfinished === undefined) return [];
  return [`a restore into it did not end well (job ${unfinished.id}), so it may hold half of it; restore again`];
}

/** A run takes its time, and a window may start it late. */
function graceMs(intervalMs: number): number {
  return Math.max(10 * 60_000, intervalMs / 2);
}

/** Why nothing is safe, whatever the plans say of themselves. */
export function generalProblems(
  sources: readonly Pick<SourceOverview, 'name'>[],
  plans: readonly PlanOverview[],
  daemons: readonly DaemonRecord[],
): string[] {
  const nothing = sources.length === 0 ? ['no source is applied, so nothing is backed up: run `tidemark apply`'] : [];
  const scheduled = plans.some(({ nextRun }) => nextRun !== undefined);
  const noDaemon = scheduled && daemons.length === 0 ? ['no daemon is running, so schedules do not run'] : [];
  const troubled = daemons.filter(({ configuration }) => configuration.state !== 'applied');
  return [
    ...nothing,
    ...noDaemon,
    ...troubled.map(({ configuration: { state, text } }) => `the configuration is ${state}: ${text}`),
  ];
}
