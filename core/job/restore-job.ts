import type { BackupRecord, NewJob } from '../catalog/index.ts';
import type { RestoreOutcome, RestoreRequest } from '../operation/index.ts';
import { restoreUses } from './uses.ts';

/** A restore's request as its job keeps it: JSON. */
export type RestoreJobRequest = Omit<RestoreRequest, 'to'>;

/** What came of a restore, as its job keeps it. */
export type RestoreJobResult = Omit<RestoreOutcome, 'partial' | 'restoredTo'> & {
  readonly restoredTo: string;
  /** How many there are; `notRestored` itself ends at some thousand. */
  readonly notRestoredCount: number;
};

/** A restore of a backup, which a person asked for. */
export async function restoreJob(
  backup: Pick<BackupRecord, 'source' | 'destination'>,
  request: RestoreJobRequest,
): Promise<NewJob> {
  return {
    kind: 'restore',
    trigger: 'manual',
    source: backup.source,
    destination: backup.destination,
    request: { ...request },
    uses: await restoreUses(request.into),
    attempts: 1,
  };
}

/** A lost folder of packs can cost a million files; the row of a job in the catalog stays some megabytes at most. */
const keptNotRestored = 10_000;

export function restoreResult(outcome: Omit<RestoreOutcome, 'partial'>): RestoreJobResult {
  const { notRestored, restoredTo } = outcome;
  return {
    ...outcome,
    notRestored: notRestored.slice(0, keptNotRestored),
    notRestoredCount: notRestored.length,
    restoredTo: restoredTo.toISOString(),
  };
}
