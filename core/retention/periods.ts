import { zoneClock } from '../zone-clock.ts';
import type { Counted } from './policy.ts';

type Periodic = Exclude<Counted, 'last'>;

/** Names the period of a rule that a wall time (see `ZoneClock`) falls in. Equal names are the same period. */
export const periodNames: Readonly<Record<Periodic, (wallMs: number) => string>> = {
  hourly: (wallMs) => `${isoDate(wallMs)} ${isoText(wallMs).slice(-13, -11)}h`,
  daily: isoDate,
  weekly: isoWeek,
  monthly: (wallMs) => isoDate(wallMs).slice(0, -3),
  yearly: (wallMs) => isoDate(wallMs).slice(0, -6),
};

/**
 * What the clock of a zone showed at an instant; asking again costs little. Throws RangeError for a zone that is not in the
 * IANA database.
 */
export function wallClock(timezone: string): WallClock {
  const zone = zoneClock(timezone);
  const known = new Map<number, number>();
  return (time) => {
    const instantMs = time.getTime();
    const wallMs = known.get(instantMs) ?? zone.wallMs(instantMs);
    known.set(instantMs, wallMs);
    return wallMs;
  };
}

export type WallClock = (time: Date) => number;

const dayMs = 86_400_000;

/** `2026-11-24T13:05:00.000Z`, with more digits of a year far away. */
function isoText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function isoDate(wallMs: number): string {
  return isoText(wallMs).slice(0, -14);
}

/** ISO 8601: a week begins on Monday and belongs to the year that its Thursday is in. */
function isoWeek(wallMs: number): string {
  const day = Math.floor(wallMs / dayMs);
  const weekday = (((day + 3) % 7) + 7) % 7; // 1970-01-01 was a Thursday
  const thursday = day - weekday + 3;
  const year = isoDate(thursday * dayMs).slice(0, -6);
  const firstOfYear = Date.parse(`${year}-01-01T00:00:00Z`) / dayMs;
  return `${year}-W${String(Math.floor((thursday - firstOfYear) / 7) + 1).padStart(2, '0')}`;
}
