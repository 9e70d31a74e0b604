import { TidemarkError } from './error.ts';

/**
 * REPOSITORY_OTHER when the repository that a destination has now is not the one that was applied: another disk under the
 * same path, say. The backups that are listed are not in it, and none belongs there.
 */
export function otherRepository(
  subject: string,
  applied: string | undefined,
  found: string | undefined,
): TidemarkError | undefined {
  if (applied === undefined || found === undefined || applied === found) return undefined;
  const text = `this is another repository than the one applied (${found}, was ${applied})`;
  return new TidemarkError('REPOSITORY_OTHER', text, {
    subject,
    hint: 'Mount the right disk or correct the path. To use this one as well, declare it as a destination of its own name, run `tidemark apply` and then `tidemark catalog import` for that name.',
  });
}
