import { isAbsolute } from 'node:path';
import { Cron } from 'croner';
import { parseHostPort } from '../host-port.ts';
import { nearest } from '../nearest.ts';
import { durationHint, parseDuration } from '../units.ts';
import { isCatalogAddress } from './catalog-address.ts';
import { parseMaxUnused } from './max-unused.ts';
import { isReference, referenceHint } from './secrets.ts';

/** What a JSON Schema's `format` means to us. */
export interface Format {
  /** As in: `6x` is not <noun>. */
  readonly noun: string;
  accepts(text: string): boolean;
  /** A sentence that says what to write instead. */
  hint(text: string): string;
  /** The text may hold a secret and is never shown. */
  readonly hidden?: boolean;
}

export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const nameRule = 'Use letters, digits, dots, dashes and underscores, 64 at most, the first a letter or digit.';

export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** Every format that a schema may name, drivers' schemas included. */
export const formats: Readonly<Record<string, Format>> = {
  secret: {
    noun: 'a reference to a secret',
    accepts: isReference,
    hint: referenceHint,
    hidden: true,
  },
  name: { noun: 'a name', accepts: isName, hint: () => nameRule },
  duration: {
    noun: 'a duration',
    accepts: isDuration,
    hint: () => durationHint,
  },
  cron: { noun: 'a schedule that ever comes', accepts: isCron, hint: cronHint },
  timezone: { noun: 'a time zone', accepts: isTimezone, hint: timezoneHint },
  'absolute-path': {
    noun: 'an absolute path',
    accepts: (text) => isAbsolute(text) && !text.includes('\0'),
    hint: (text) =>
      text.includes('\0') ? 'A path has no NUL in it: take it out.' : 'Write the whole path, beginning with /.',
  },
  'host-port': {
    noun: 'a host and a port',
    accepts: (text) => parseHostPort(text) !== undefined,
    hint: () => 'Write host:port, such as 127.0.0.1:9631 or [::1]:9631.',
  },
  'max-unused': {
    noun: 'a share or a size',
    accepts: (text) => parseMaxUnused(text) !== undefined,
    hint: () => 'Write a share below 100% such as 5%, a size such as 10GiB, or `unlimited`.',
  },
  catalog: {
    noun: 'a catalog',
    accepts: isCatalogAddress,
    hint: () => 'Write `sqlite:` and a path; this version keeps its catalog in SQLite only.',
    hidden: true,
  },
};

function isDuration(text: string): boolean {
  try {
    return Number.isFinite(parseDuration(text));
  } catch {
    return false;
  }
}

function isCron(text: string): boolean {
  return cronProblem(text) === undefined;
}

function cronHint(text: string): string {
  const rule = 'Write minute, hour, day, month and weekday, such as "30 1 * * 1-5"';
  return `${rule}; ${cronProblem(text) ?? 'seconds may stand first'}.`;
}

/** `?` stands for the moment of reading in croner: the same file would mean something else each time. */
function cronProblem(text: string): string | undefined {
  if (text.includes('?')) return '`?` is not allowed';
  const parts = text.trim().split(/\s+/).length;
  if (parts !== 5 && parts !== 6) return `in this one there are ${parts} parts`;
  try {
    const schedule = new Cron(text, { paused: true, mode: '5-or-6-parts', utcOffset: 0 });
    const everyMonth = text.trim().split(/\s+/).at(-2) === '*';
    return everyMonth || schedule.nextRun(new Date(Date.UTC(2024, 0, 1))) ? undefined : 'no date fits this one';
  } catch (error) {
    return `in this one: ${(error as Error).message.replace(/^CronPattern: /, '').replace(/[.,]$/, '')}`;
  }
}

/** An IANA name. Offsets such as +08:00 would pass `Intl`, but know no daylight saving. */
function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}

function timezoneHint(text: string): string {
  const known = Intl.supportedValuesOf('timeZone');
  const city = known.find((zone) => zone.toLowerCase().endsWith(`/${text.toLowerCase().replaceAll(' ', '_')}`));
  const near = city ?? nearest(text, known);
  return near
    ? `Did you mean \`${near}\`?`
    : 'Write a name of the IANA list, such as Europe/Berlin, Asia/Shanghai or UTC.';
}
