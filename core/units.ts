import { TidemarkError } from './error.ts';

/** `90s`, `26h`, `1h30m`, `7d` as milliseconds. Throws CONFIG_INVALID. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)];
  const units = parts.map((part) => durationUnits.findIndex(([unit]) => unit === part[2]));
  const ordered = units.every((unit, at) => at === 0 || unit < units[at - 1]!);
  const complete = parts.map((part) => part[0]).join('') === text;
  const totalMs = parts.reduce((sum, part, at) => sum + Number(part[1]) * durationUnits[units[at]!]![1], 0);
  if (parts.length === 0 || !ordered || !complete || totalMs > longestMs) {
    throw new TidemarkError('CONFIG_INVALID', `\`${text}\` is not a duration`, { hint: durationHint });
  }
  return totalMs;
}

/** For people, in at most two units, rounded down: `820ms`, `4.2s`, `3m 20s`, `2d 3h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.floor(ms))}ms`;
  if (ms < 60_000) return `${Number((Math.floor(ms / 100) / 10).toFixed(1))}s`;
  const large = [...durationUnits.slice(1, 5)].reverse();
  const first = large.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = large[first]!;
  const [nextUnit, nextMs] = large[first + 1]!;
  const rest = Math.floor((ms % unitMs) / nextMs);
  return `${Math.floor(ms / unitMs)}${unit}${rest > 0 ? ` ${rest}${nextUnit}` : ''}`;
}

/**
 * An amount of something: a share (`5%` is 0.05) or a size (`10GiB`, `512MiB`, a bare number of bytes). Undefined where it is
 * neither.
 */
export function parseAmount(text: string): { readonly share: number } | { readonly bytes: number } | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*(%|[KMGTP]iB|B)?$/.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  if (unit === '%') return Number(number) > 100 ? undefined : { share: Number(number) / 100 };
  const power = ['', 'B'].includes(unit) ? 0 : binaryUnits.findIndex((one) => one[0] === unit[0] && one !== 'B');
  return { bytes: Math.round(Number(number) * 1024 ** power) };
}

/** For people, in the time zone of the process, to the second: `2026-03-02 01:30:00`. Without Intl, as `formatNumber`. */
export function formatTime(time: Date): string {
  const date = [digits(time.getFullYear(), 4), digits(time.getMonth() + 1), digits(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => digits(part)).join(':')}`;
}

/** For people: `1,234,567`. Not by Intl, which costs 8 MB and 10 ms in a process that has no other use for it. */
export function formatNumber(number: number): string {
  return Number.isSafeInteger(number)
    ? String(number).replace(/\B(?=(\d{3})+$)/g, ',')
    : number.toLocaleString('en-US');
}

/** For people: `0 B`, `1023 B`, `1.5 KiB`, `32.0 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  const power = Math.min(binaryUnits.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const carried = value.toFixed(1) === '1024.0' && power < binaryUnits.length - 1;
  return carried ? `1.0 ${binaryUnits[power + 1]}` : `${value.toFixed(1)} ${binaryUnits[power]}`;
}

/** For people: `40.0 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

export const durationHint = 'Write a duration such as 90s, 5m, 26h, 7d or 1h30m.';

function digits(number: number, count = 2): string {
  return String(number).padStart(count, '0');
}

const durationUnits: readonly (readonly [string, number])[] = [
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
];
/** A hundred years: what is longer is a slip of the pen, and dates would overflow. */
const longestMs = 36_525 * 86_400_000;
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
