const nsPerSecond = 1_000_000_000n;
const firstSecond = -62_167_219_200; // 0000-01-01: Go's JSON has years 0 to 9999
const lastSecond = 253_402_300_799;

/** RFC 3339 with up to nine decimals and no trailing zeros, in UTC: Go's JSON form of a time. */
export function formatTime(timeNs: bigint): string {
  let seconds = Number(timeNs / nsPerSecond);
  let rest = Number(timeNs % nsPerSecond);
  if (rest < 0) {
    seconds -= 1;
    rest += 1e9;
  }
  if (seconds < firstSecond || seconds > lastSecond) return formatTime(BigInt(clamp(seconds)) * nsPerSecond);
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Nanoseconds since 1970 of an RFC 3339 time; undefined where it is none. */
export function parseTime(text: string): bigint | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  date.setUTCHours(Number(match[4]), Number(match[5]), Number(match[6]));
  const offsetMinutes = match[8] === undefined ? 0 : Number(match[9]) * 60 + Number(match[10]);
  const seconds = date.getTime() / 1000 - (match[8] === '-' ? -offsetMinutes : offsetMinutes) * 60;
  return BigInt(seconds) * nsPerSecond + BigInt((match[7] ?? '').padEnd(9, '0'));
}

function clamp(seconds: number): number {
  return Math.min(Math.max(seconds, firstSecond), lastSecond);
}
