import { type ErrorCode, type ErrorKind, errorCodes } from './error-codes.ts';

export type { ErrorCode, ErrorKind } from './error-codes.ts';

export interface ErrorDetails {
  /** What it is about, as an address: `destinations.nas`, `sources.shop`, `plans.shop-nightly`. */
  readonly subject?: string;
  /** A sentence that tells the reader what to do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The only error class of tidemark. Match on `code`, never on text. Foreign errors become one of these at the edge
 * where it is known what they mean and whether trying again helps. `message` is lower case, without a final stop.
 */
export class TidemarkError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly retry: 'never' | 'backoff';
  readonly subject: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TidemarkError';
    this.code = code;
    this.kind = errorCodes[code].kind;
    this.retry = errorCodes[code].retry;
    this.subject = details.subject;
    this.hint = details.hint;
  }

  /** The same error with its subject set where it had none: the caller often knows whose operation it was. */
  at(subject: string): TidemarkError {
    if (this.subject !== undefined) return this;
    return new TidemarkError(this.code, this.message, { subject, hint: this.hint, cause: this.cause });
  }
}

/** Anything that was thrown, as a `TidemarkError`; what nobody translated is a `BUG`. */
export function asTidemarkError(thrown: unknown): TidemarkError {
  if (thrown instanceof TidemarkError) return thrown;
  if (thrown instanceof SuppressedError) return asTidemarkError(thrown.suppressed); // closing failed too: the first counts
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return thrown.cause instanceof TidemarkError ? thrown.cause : new TidemarkError('CANCELLED', 'cancelled');
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof Error && 'code' in thrown && String(thrown.code).endsWith('MODULE_NOT_FOUND')) {
    return missingFile(text, thrown);
  }
  if (isOutOfMemory(thrown, text)) {
    return new TidemarkError('OUT_OF_MEMORY', text, {
      hint: 'Look at the limits of the process (`ulimit -v`, `LimitAS` and `MemoryMax` of a unit) and at what else uses memory.',
      cause: thrown,
    });
  }
  return new TidemarkError('BUG', `unexpected: ${text}`, {
    hint: 'This is a defect of tidemark. Please report it with the stack from the log.',
    cause: thrown,
  });
}

/** By V8, zlib, OpenSSL and of a thread; these have no code in common. */
function isOutOfMemory(thrown: unknown, text: string): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ERR_MEMORY_ALLOCATION_FAILED' || code === 'ERR_WORKER_OUT_OF_MEMORY') return true;
  return thrown instanceof Error && /^Array buffer allocation failed$|malloc failure/.test(text);
}

/** INSTALLATION_BROKEN. */
export function missingFile(text: string, cause?: unknown): TidemarkError {
  return new TidemarkError('INSTALLATION_BROKEN', `a file of tidemark is missing: ${text}`, {
    hint: 'Install it again; in a checkout run `npm ci`. A daemon whose tidemark was changed is to be started again.',
    cause,
  });
}

/** True when `thrown` is a `TidemarkError` with one of these codes. */
export function hasCode(thrown: unknown, ...codes: ErrorCode[]): thrown is TidemarkError {
  return thrown instanceof TidemarkError && codes.includes(thrown.code);
}
