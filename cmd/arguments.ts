import { InvalidArgumentError } from 'commander';
import { TidemarkError } from '../core/error.ts';
import { parseDuration } from '../core/units.ts';

/** A whole number from 1 on, for commander. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

/**
 * `2026-03-02T01:30:00Z`, or `2026-03-02 01:30` in the time zone of the process, or `7d` for so long before `now`.
 * Throws USAGE.
 */
export function parseTime(text: string, now: Date): Date {
  if (/^\d+(ms|s|m|h|d|w)/.test(text)) return new Date(now.getTime() - parseDuration(text));
  const iso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  // A date alone would be read as UTC, a date with a time as local: local it is for both.
  const time = new Date(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  if (iso && !Number.isNaN(time.getTime())) return time;
  throw new TidemarkError('USAGE', `\`${text}\` is not a time`, {
    hint: 'Write a time such as 2026-03-02T01:30:00Z, or `2026-03-02 01:30:00` for the time zone of this machine.',
  });
}
