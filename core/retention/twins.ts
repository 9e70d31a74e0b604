import type { Candidate } from './candidate.ts';

type Copy = Pick<Candidate, 'id' | 'partial' | 'expiring'> & { readonly imported: boolean };

/**
 * Takes apart the copies of one history of which each counts, and those of a backup that counts by another snapshot: a
 * catalog may know two until an import has looked. The whole one counts, and of these the one that was made here.
 */
export function withoutTwins<Backup extends Copy>(
  history: readonly Backup[],
): { readonly counting: readonly Backup[]; readonly twins: readonly Backup[] } {
  const rank = ({ partial, imported }: Backup) => Number(partial) * 2 + Number(imported);
  const staying = history.filter(({ expiring }) => !expiring);
  const same = [...Map.groupBy(staying, ({ id }) => id).values()];
  const twins = new Set(same.flatMap((copies) => copies.toSorted((a, b) => rank(a) - rank(b)).slice(1)));
  return { counting: history.filter((copy) => !twins.has(copy)), twins: [...twins] };
}
