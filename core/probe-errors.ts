import type { TidemarkError } from './error.ts';

/** The errors that one `apply` met: several in a PROBE_FAILED, else the error itself. */
export function probeErrors(error: TidemarkError): readonly TidemarkError[] {
  return error.code === 'PROBE_FAILED' && error.cause instanceof AggregateError ? error.cause.errors : [error];
}
