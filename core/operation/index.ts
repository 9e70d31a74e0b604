/** The door of this room: the use cases that jobs and verbs run. */
export { type BackupRequest, runBackup } from './backup.ts';
export { type Entry, entryJson, listEntries } from './browse.ts';
export { type CheckOutcome, type CheckRequest, runCheck } from './check.ts';
export type { OperationContext, PlanningContext } from './context.ts';
export { deleteBackups, type PlannedDeletion, planDelete } from './delete-backups.ts';
export type { Deletion } from './forget-copies.ts';
export { type ImportOutcome, importBackups } from './import.ts';
export { addKey, exportKit, importKit, listKeys, removeKey } from './keys.ts';
export { listLocks, removeLocks } from './locks.ts';
export { type OpenRepository, openRepository } from './open.ts';
export { pinBackup, unpinBackup } from './pins.ts';
export { planRestore } from './plan-restore.ts';
export type { CopyDecision, RetentionPlan } from './plan-retention.ts';
export { type Prepared, prepareDestination, prepareSource, probeDestination, probeSource } from './prepare.ts';
export {
  type PruneOutcome,
  type PrunePreview,
  type PruneRequest,
  previewPrune,
  previewRetention,
  reasonsText,
  runPrune,
} from './prune.ts';
export { renamesOf } from './renamed-backups.ts';
export { planRepair, type RepairOutcome, runRepair } from './repair.ts';
export { type RestoreOutcome, runRestore } from './restore.ts';
export { repositoryStats } from './stats.ts';
