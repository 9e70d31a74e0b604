import type { BackupRecord } from '../catalog/index.ts';
import type { Resource } from '../config/index.ts';
import type { OperationContext } from './context.ts';

/** New names by old ones. */
export interface Renames {
  readonly plans: ReadonlyMap<string, string>;
  readonly sources: ReadonlyMap<string, string>;
}

export const noRenames: Renames = { plans: new Map(), sources: new Map() };

/**
 * What `renamedFrom` says of names that only manifests know: what is applied under the old name an apply renames, and
 * what still is declared under it was not renamed.
 */
export function renamesOf(declared: ReadonlyMap<string, Resource>, applied: ReadonlyMap<string, unknown>): Renames {
  const of = (collection: 'plans' | 'sources') => {
    const renames = new Map<string, string>();
    for (const { collection: own, name, spec } of declared.values()) {
      const old = `${collection}.${spec.renamedFrom}`;
      if (own !== collection || typeof spec.renamedFrom !== 'string') continue;
      if (!declared.has(old) && !applied.has(old)) renames.set(spec.renamedFrom, name);
    }
    return renames;
  };
  return { plans: of('plans'), sources: of('sources') };
}

/** Under the names that its plan and source have by now. */
export function underNewNames<Record extends Pick<BackupRecord, 'plan' | 'source'>>(
  backup: Record,
  { plans, sources }: Renames,
): Record {
  if (backup.plan === '') return backup; // restic's: its source is a host
  return {
    ...backup,
    plan: plans.get(backup.plan) ?? backup.plan,
    source: sources.get(backup.source) ?? backup.source,
  };
}

/** For those that the catalog knows under old names from an earlier import. */
export async function renameKnown(
  { catalog: { backups } }: OperationContext,
  known: readonly BackupRecord[],
  renames: Renames,
): Promise<void> {
  for (const { destination, snapshot, plan, source } of known) {
    const next = underNewNames({ plan, source }, renames);
    if (next.plan === plan && next.source === source) continue;
    await backups.record({ ...(await backups.copy(destination, snapshot)), ...next });
  }
}
