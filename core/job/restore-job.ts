import type { NewJob } from '../catalog/index.ts';
import type { RestoreOutcome } from '../operation/index.ts';
import type { RestorePlan } from '../restore/index.ts';
import { restoreUses } from './uses.ts';

/** What came of a restore, as its job keeps it. */
export type RestoreJobResult = Omit<RestoreOutcome, 'partial' | 'restoredTo' | 'notListed'> & {
  readonly restoredTo: string;
  /** How many there are; `notRestored` itself ends at some thousand. */
  readonly notRestoredCount: number;
};

/** A restore that a person asked for: its request is the plan, which is executed as it stands. */
export async function restoreJob(plan: RestorePlan): Promise<NewJob> {
  return {
    kind: 'restore',
    trigger: 'manual',
    source: plan.backup.source,
    destination: plan.backup.destination,
    request: { ...plan },
    uses: await restoreUses(plan.target),
    attempts: 1,
  };
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
