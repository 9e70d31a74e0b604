import { asTidemarkError, type ErrorCode, TidemarkError } from './error.ts';

/** A `TidemarkError` as plain data: classes do not survive the way between threads and processes. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly subject?: string;
  readonly hint?: string;
  readonly stack?: string;
}

export function toPlainError(thrown: unknown): PlainError {
  const { code, message, subject, hint, cause, stack } = asTidemarkError(thrown);
  return { code, message, subject, hint, stack: cause instanceof Error ? cause.stack : stack };
}

/** `where` it came from is told in the stack of its cause. */
export function fromPlainError(plain: PlainError, where: string): TidemarkError {
  const { code, message, subject, hint, stack } = plain;
  return new TidemarkError(code, message, { subject, hint, cause: Object.assign(new Error(where), { stack }) });
}
