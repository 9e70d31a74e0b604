import { asTidemarkError, TidemarkError } from '../../error.ts';
import type { ThrownInThread } from './messages.ts';

export function packError(thrown: unknown): ThrownInThread {
  const { code, message, subject, hint, cause, stack } = asTidemarkError(thrown);
  return { code, message, subject, hint, stack: cause instanceof Error ? cause.stack : stack };
}

export function unpackError(thrown: ThrownInThread): TidemarkError {
  const { code, message, subject, hint, stack } = thrown;
  return new TidemarkError(code, message, {
    subject,
    hint,
    cause: Object.assign(new Error('in a data thread'), { stack }),
  });
}
