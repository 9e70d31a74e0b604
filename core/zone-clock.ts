/** The wall clock of a time zone. Wall times are milliseconds as if the clock on the wall showed UTC. */
export interface ZoneClock {
  /** What the wall shows at an instant. */
  wallMs(instantMs: number): number;
  /**
   * When the wall shows this. A wall time that comes twice gives its first instant, one that is left out gives the
   * instant at which the clock jumps over it.
   */
  instantMs(wallMs: number): number;
}

/** No zone is further from UTC than this. */
const widestOffsetMs = 15 * 3_600_000;

/** Throws RangeError for a zone that is not in the IANA database. */
export function zoneClock(timezone: string): ZoneClock {
  if (timezone === 'UTC') return { wallMs: (instantMs) => instantMs, instantMs: (wallMs) => wallMs }; // Intl would cost 10 ms
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  const offsetMs = (instantMs: number) => parseOffset(format.format(instantMs));
  return {
    wallMs: (instantMs) => instantMs + offsetMs(instantMs),
    instantMs: (wallMs) => firstInstant(wallMs, offsetMs),
  };
}

/** `10/25/2026, GMT+02:00`, and `GMT` alone for UTC; old local times have seconds. */
function parseOffset(text: string): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (!match) throw new RangeError(`cannot read the time zone offset of ${text}`);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
  return (sign === '-' ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

function firstInstant(wallMs: number, offsetMs: (instantMs: number) => number): number {
  const before = offsetMs(wallMs - widestOffsetMs);
  const early = wallMs - before;
  if (offsetMs(early) === before) return early;
  const after = offsetMs(wallMs + widestOffsetMs);
  const late = wallMs - after;
  return offsetMs(late) === after ? late : transition(late, early, before, offsetMs);
}

/** The first instant, to the second, after `from` at which the offset is not `before` any more. */
function transition(fromMs: number, toMs: number, before: number, offsetMs: (instantMs: number) => number): number {
  let low = Math.floor(fromMs / 1000);
  let high = Math.ceil(toMs / 1000);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle * 1000) === before) low = middle;
    else high = middle;
  }
  return high * 1000;
}
