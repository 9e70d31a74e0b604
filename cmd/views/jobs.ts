import type { Job } from '../../core/catalog/index.ts';
import type { RestorePlan } from '../../core/restore/index.ts';
import { formatBytes, formatDuration } from '../../core/units.ts';
import { brief, type Look, type Paint, paint, printable } from './look.ts';
import { targetText } from './restore-plan.ts';
import { table } from './table.ts';
import { formatTime } from './words.ts';

export function jobsTable(jobs: readonly Job[], look: Look): string {
  return table(
    jobs,
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'PLAN', cell: ({ plan }) => plan },
      { title: 'SOURCE', cell: ({ source }) => source },
      { title: 'IN', cell: ({ source, destination }) => (source === '' ? destination : undefined) },
      { title: 'STATE', cell: ({ state }) => paint(look, colours[state], state) },
      { title: 'BY', minor: true, cell: ({ trigger }) => trigger },
      { title: 'QUEUED', cell: ({ queuedAt }) => formatTime(queuedAt) },
      { title: 'TOOK', minor: true, right: true, cell: (job) => tookText(job, look.now) },
      { title: 'WHAT', cell: whatText },
    ],
    look,
  );
}

export function restoresTable(jobs: readonly Job[], look: Look): string {
  return table(
    jobs,
    [
      { title: 'ID', cell: ({ id }) => id },
      { title: 'SOURCE', cell: ({ source }) => source },
      { title: 'BACKUP', cell: (job) => printable(planOf(job).backup.id) },
      { title: 'INTO', cell: (job) => targetText(planOf(job).target) },
      { title: 'STATE', cell: ({ state }) => paint(look, colours[state], state) },
      { title: 'QUEUED', cell: ({ queuedAt }) => formatTime(queuedAt) },
      { title: 'TOOK', minor: true, right: true, cell: (job) => tookText(job, look.now) },
      { title: 'WHAT', cell: whatText },
    ],
    look,
  );
}

const colours: Readonly<Record<Job['state'], Paint>> = {
  queued: 'dim',
  running: 'cyan',
  succeeded: 'green',
  partial: 'yellow',
  failed: 'red',
  cancelled: 'yellow',
  missed: 'red',
};

function tookText({ startedAt, endedAt }: Job, now: Date): string | undefined {
  if (startedAt === undefined) return undefined;
  return formatDuration((endedAt ?? now).getTime() - startedAt.getTime());
}

function whatText({ state, error, progress, cancelRequested }: Job): string | undefined {
  if (state === 'running' && cancelRequested) return 'is being cancelled';
  if (state === 'running' && progress !== undefined) {
    const total = progress.totalBytes === undefined ? '' : ` of ${formatBytes(progress.totalBytes)}`;
    return `${printable(progress.step)}, ${formatBytes(progress.doneBytes)}${total}`;
  }
  return error === undefined ? undefined : `${error.code}: ${brief(error.message)}`;
}

function planOf({ request }: Job): RestorePlan {
  return request as unknown as RestorePlan;
}
