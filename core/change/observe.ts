import type { Catalog } from '../catalog/index.ts';
import { type Resource, splitAddress } from '../config/index.ts';
import { keepingOf, keepsAlike } from '../keeping.ts';
import type { Observed } from './observed.ts';
import { findRenames, renameResources } from './rename.ts';

type Resources = ReadonlyMap<string, Resource>;

/** What there is to know for a change from the applied resources to the desired ones. */
export async function observe(
  catalog: Pick<Catalog, 'backups' | 'retained' | 'plans'>,
  { desired, applied }: { readonly desired: Resources; readonly applied: Resources },
): Promise<Observed> {
  return {
    backups: await catalog.backups.totals(),
    copies: await catalog.retained.list(judgedAnew(desired, applied)),
    plans: await catalog.plans.list(),
  };
}

/** By the names that the catalog has. */
function judgedAnew(desired: Resources, applied: Resources): readonly string[] {
  const renames = findRenames(desired, applied);
  const before = renameResources(applied, renames);
  return [...desired.values()]
    .filter(({ collection }) => collection === 'plans')
    .filter((plan) => !keepsAlike(keepingOf(before.get(plan.address), before), keepingOf(plan, desired)))
    .map(({ address }) => splitAddress(renames.get(address) ?? address).name);
}
