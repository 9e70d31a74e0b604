import type { RetainedCopy } from './catalog/index.ts';
import { sameIdentity, tellsMachine } from './driver/index.ts';

type Applied = ReadonlyMap<string, { readonly identity?: string }>;

/**
 * Of a repository that several catalogs use, an import brings in the backups of all, and a plan of another one may have the
 * same name: these are foreign, count for nothing in retention, and stay. What this catalog made itself is its own, however
 * its source has changed since. `history`: of one plan and source in one destination, newest first.
 */
export function ownAndForeign(
  history: readonly RetainedCopy[],
  resources: Applied,
): { readonly own: readonly RetainedCopy[]; readonly foreign: readonly RetainedCopy[] } {
  const known = ownIdentity(history, resources);
  const isForeign = ({ imported, identity }: RetainedCopy) => imported && !sameIdentity(identity, known);
  return { own: history.filter((copy) => !isForeign(copy)), foreign: history.filter(isForeign) };
}

/** Where a source was applied before identities told the machine, the newest backup that was made here tells it. */
function ownIdentity(history: readonly RetainedCopy[], resources: Applied): string | undefined {
  const applied = resources.get(`sources.${history[0]?.source}`)?.identity;
  if (applied === undefined || tellsMachine(applied)) return applied;
  const made = history.find((copy) => !copy.imported && sameIdentity(copy.identity, applied));
  return made?.identity ?? applied;
}
