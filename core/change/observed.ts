import type { BackupTotals, PlanStatus, RetainedCopy } from '../catalog/index.ts';

/** What the catalog knows and the files do not: what a change would touch. */
export interface Observed {
  readonly backups: readonly BackupTotals[];
  /** Of plans whose backups the change judges anew. */
  readonly copies: readonly RetainedCopy[];
  readonly plans: readonly PlanStatus[];
}
