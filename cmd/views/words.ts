import { formatDuration } from '../../core/units.ts';

/** `1 backup`, `3 backups`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`;
}

/** In the time zone of the process, to the second: `2026-03-02 01:30:00`. */
export function formatTime(time: Date): string {
  return timeFormat.format(time);
}

/** `3m 20s ago`, `in 2h`. */
export function formatAge(time: Date, now: Date): string {
  const ms = now.getTime() - time.getTime();
  return ms >= 0 ? `${formatDuration(ms)} ago` : `in ${formatDuration(-ms)}`;
}

/** sv-SE writes dates as ISO 8601 does. */
const timeFormat = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
