import { type Catalog, copyThing, type NewJob } from '../catalog/index.ts';
import { type Drivers, sourcePaths } from '../config/index.ts';
import type { RestoreOutcome } from '../operation/index.ts';
import type { RestorePlan } from '../restore/index.ts';
import { restoreUses, type UsedSource } from './uses.ts';

/** What came of a restore, as its job keeps it. */
export type RestoreJobResult = Omit<RestoreOutcome, 'partial' | 'restoredTo' | 'notListed'> & {
  readonly restoredTo: string;
  /** How many there are; `notRestored` itself ends at some thousand. */
  readonly notRestoredCount: number;
};

/** A restore that a person asked for: its request is the plan, which is executed as it stands. */
export async function restoreJob(plan: RestorePlan, context: RestoreContext): Promise<NewJob> {
  return {
    kind: 'restore',
    trigger: 'manual',
    source: plan.backup.source,
    destination: plan.backup.destination,
    request: { ...plan },
    uses: [...(await restoreUses(await usedTarget(plan, context))), { thing: copyThing(plan.backup), mode: 'read' }],
    attempts: 1,
  };
}

interface RestoreContext {
  readonly catalog: Pick<Catalog, 'state' | 'backups'>;
  readonly drivers: Drivers;
}

/** A source is written where it is now, and where the backup says that it was. */
async function usedTarget({ target, backup }: RestorePlan, { catalog, drivers }: RestoreContext) {
  if ('folder' in target) return target;
  const { resources } = await catalog.state.read();
  const driver = drivers.sources.find(({ kind }) => kind === backup.driver);
  const { manifest } = await catalog.backups.get(backup.snapshot);
  const paths = [
    ...sourcePaths(resources.get(`sources.${target.source}`), drivers),
    ...(driver?.restoredPaths?.(manifest) ?? []),
  ];
  return { ...target, paths: [...new Set(paths)] } satisfies UsedSource;
}

/** A lost folder of packs can cost a million files; the row of a job in the catalog stays some megabytes at most. */
const keptNotRestored = 10_000;

export function restoreResult(outcome: Omit<RestoreOutcome, 'partial'>): RestoreJobResult {
  const { notRestored, notListed = 0, restoredTo, ...rest } = outcome;
  return {
    ...rest,
    notRestored: notRestored.slice(0, keptNotRestored),
    notRestoredCount: notRestored.length + notListed,
    restoredTo: restoredTo.toISOString(),
  };
}
