import { createRequire } from 'node:module';
import type { DestinationStream, Logger } from 'pino';
import { TidemarkError } from '../error.ts';

export type { Logger } from 'pino';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never hold anything to show, at the top or one level down. A `Secret` prints as `***` wherever it is. */
const secretFields = ['password', 'secret', 'secretKey', 'accessKey', 'token'];

/** JSON lines, one per message, to `stream`. Errors are told without their cause, which may quote data. */
export function createLogger(options: { stream: DestinationStream; level: LogLevel }): Logger {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino'); // verbs do without
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: '***' },
    },
    options.stream,
  );
}

function describeError(error: Error): Record<string, unknown> {
  if (!(error instanceof TidemarkError)) return { name: error.name, message: error.message, stack: error.stack };
  const { code, message, subject, hint } = error;
  return { code, message, subject, hint, ...(code === 'BUG' ? { stack: stackOf(error) } : {}) };
}

/** A defect shows where it was, also when it was thrown by code that is not ours. */
function stackOf(error: TidemarkError): string | undefined {
  return error.cause instanceof Error ? error.cause.stack : error.stack;
}
