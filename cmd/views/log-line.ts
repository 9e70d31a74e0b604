import { type Look, type Paint, paint, printable } from './look.ts';
import { formatTime } from './words.ts';

const colours: Readonly<Record<string, Paint>> = {
  debug: 'dim',
  info: 'green',
  warn: 'yellow',
  error: ['red', 'bold'],
};

/** A JSON line of the log, for a person at a terminal: time, level, text, and the rest as it is. */
export function logLine(json: string, look: Look): string {
  const { time, level, msg, err, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const error = err as { code?: string; message?: string } | undefined;
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = `${formatTime(new Date(String(time)))} ${paint(look, colours[String(level)] ?? 'dim', String(level).padEnd(5))}`;
  const failure = error === undefined ? undefined : `${error.code ?? 'error'}: ${error.message}`;
  const said = [msg, failure].filter((part) => part !== undefined).join(': ');
  return `${head} ${printable(said)} ${paint(look, 'dim', printable(details.join(' ')))}`.trimEnd();
}
