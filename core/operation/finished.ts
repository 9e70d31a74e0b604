import { asTidemarkError } from '../error.ts';

/**
 * What `work` came to, which it says by `done` as soon as it is certain. What fails after that, on the way out (a lock
 * that cannot be released, a session that cannot be closed), undoes nothing: `late` makes a warning of it.
 */
export async function finished<Result>(
  work: (done: (result: Result) => void) => Promise<void>,
  late: (result: Result, thrown: unknown) => Result,
): Promise<Result> {
  const results: Result[] = [];
  try {
    await work((result) => results.push(result));
  } catch (thrown) {
    const [result] = results;
    if (result === undefined) throw thrown;
    return late(result, thrown);
  }
  return results[0]!;
}

/** For a warning, after `…, but`. */
export function lateText(thrown: unknown): string {
  const { code, message } = asTidemarkError(thrown);
  return `what it used could not be closed: ${code}: ${message}. A lock that is left is removed by a later run.`;
}
