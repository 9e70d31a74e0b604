import type { Job, JobProgress } from '../../core/catalog/index.ts';
import type { Clock } from '../../core/clock.ts';
import type { Progress } from '../../core/driver/index.ts';
import { formatBytes, formatDuration, formatRate } from '../../core/units.ts';
import type { Output } from '../output.ts';
import { paint, printable } from './look.ts';
import { count } from './words.ts';

export interface ProgressView {
  update(job: Job): void;
  /** Says why nothing happens yet. */
  note(text: string): void;
  end(): void;
}

const eraseLine = '\r\x1b[2K';
/** Plain lines come at most this often. */
const lineEveryMs = 5_000;
/** Rates are those of this last span. */
const rateSpanMs = 10_000;

/** The progress of one job: a line drawn over itself on a terminal, now and then a line elsewhere. */
export function showProgress(output: Output, title: string, clock: Clock): ProgressView {
  const rate = rateMeter();
  let lastLineMs = clock.monotonicMs();
  const line = (text: string) => {
    lastLineMs = clock.monotonicMs();
    if (output.isLive) output.draw(eraseLine);
    output.say(`${text}\n`);
  };
  return {
    update(job) {
      if (job.progress === undefined || job.state !== 'running') return;
      const progress = withoutOutgrown(job.progress);
      const bytesPerSecond = rate(progress);
      if (output.isLive) {
        const text = liveText(title, progress, bytesPerSecond, output.messageLook.columns);
        output.draw(`${eraseLine}${paint(output.messageLook, 'cyan', text)}`);
      } else if (clock.monotonicMs() - lastLineMs >= lineEveryMs) {
        line(plainText(title, progress, bytesPerSecond));
      }
    },
    note: (text) => line(`${title}: ${printable(text)}`),
    end() {
      if (output.isLive) output.draw(eraseLine);
    },
  };
}

/** A total is a guess at first, and one that has been passed says nothing. */
function withoutOutgrown(progress: JobProgress): JobProgress {
  const { totalBytes = 0, totalItems = 0, ...rest } = progress;
  return {
    ...rest,
    ...(totalBytes >= rest.doneBytes && totalBytes > 0 ? { totalBytes } : {}),
    ...(totalItems >= rest.doneItems && totalItems > 0 ? { totalItems } : {}),
  };
}

function rateMeter(): (progress: JobProgress) => number {
  const samples: JobProgress[] = [];
  return (progress) => {
    samples.push(progress);
    while (progress.at.getTime() - samples[0]!.at.getTime() > rateSpanMs && samples.length > 2) samples.shift();
    const seconds = (progress.at.getTime() - samples[0]!.at.getTime()) / 1000;
    return seconds > 0 ? Math.max(0, (progress.doneBytes - samples[0]!.doneBytes) / seconds) : 0;
  };
}

function plainText(title: string, progress: JobProgress, bytesPerSecond: number): string {
  return [`${title}: ${printable(progress.step)}`, ...figures(progress, bytesPerSecond)].join(', ');
}

function liveText(title: string, progress: JobProgress, bytesPerSecond: number, columns: number): string {
  const text = [`${title} ${bar(progress)}`, ...figures(progress, bytesPerSecond), printable(progress.step)].join('  ');
  return text.slice(0, Math.max(20, columns - 1));
}

function figures(progress: JobProgress, bytesPerSecond: number): string[] {
  const { doneBytes, totalBytes, doneItems, totalItems } = progress;
  const leftMs = totalBytes === undefined ? Number.NaN : ((totalBytes - doneBytes) / bytesPerSecond) * 1000;
  return [
    totalBytes === undefined ? formatBytes(doneBytes) : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    ...(totalItems === undefined || doneItems === 0 ? [] : [`${count(doneItems, 'item')} of ${totalItems}`]),
    ...(bytesPerSecond > 0 ? [formatRate(bytesPerSecond)] : []),
    ...(leftMs > 0 && Number.isFinite(leftMs) ? [`${formatDuration(leftMs)} left`] : []),
  ];
}

const barWidth = 20;

function bar(progress: JobProgress): string {
  const share = shareDone(progress);
  if (share === undefined) return '';
  const filled = Math.round(share * barWidth);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${Math.floor(share * 100)}%`;
}

function shareDone({ doneBytes, totalBytes, doneItems, totalItems }: JobProgress): number | undefined {
  if (totalBytes !== undefined && totalBytes > 0) return Math.min(1, doneBytes / totalBytes);
  if (totalItems !== undefined && totalItems > 0) return Math.min(1, doneItems / totalItems);
  return undefined;
}

/** For work that is over before anybody would look. */
export const noProgress: Progress = { add: () => {}, expect: () => {}, step: () => {} };
