import { formatDuration, formatNumber } from '../../core/units.ts';

export { formatNumber, formatTime } from '../../core/units.ts';

/** `1 backup`, `3 backups`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(number)} ${number === 1 ? noun : plural}`;
}

/** `3m 20s ago`, `in 2h`. */
export function formatAge(time: Date, now: Date): string {
  const ms = now.getTime() - time.getTime();
  return ms >= 0 ? `${formatDuration(ms)} ago` : `in ${formatDuration(-ms)}`;
}
