/** The door of this room: restic repositories. */
export { BackupReading } from './backup-reading.ts';
export { BackupWriting } from './backup-writing.ts';
export type { CatalogView } from './check/catalog-view.ts';
export type { CheckOptions, CheckReport } from './check/check.ts';
export {
  type Finding,
  type FindingKind,
  findingReference,
  type HurtBackup,
  type KnownBackup,
} from './check/finding.ts';
export type { ReadAmount } from './check/slice.ts';
export { formatOneText, upgradeHint } from './format-one.ts';
export type { ScryptCost } from './key-file.ts';
export type { Identity, KeyInfo } from './keys.ts';
export type { KitWords } from './kit.ts';
export type { RepositoryLock } from './lock.ts';
export { manifestFile } from './manifest.ts';
export type { WorkOptions } from './parts.ts';
export type { KnownPin, PinDocument, Pins, SeenPin } from './pins.ts';
export type { MaxUnused, PruneOptions } from './prune/options.ts';
export type { PrunePlan } from './prune/plan.ts';
export type { PackGroup, PruneResult, PruneSummary, WaitingMark } from './prune/summary.ts';
export { type Recovered, recover } from './recover.ts';
export type { RepairPlan } from './repair/plan.ts';
export type { SnapshotChange } from './repair/rewrite-snapshots.ts';
export { Repository, type RepositoryOptions } from './repository.ts';
export type { Snapshot } from './snapshots.ts';
export type { GroupUse } from './stats/groups.ts';
export type { BlobTotal, RepositoryStats } from './stats/stats.ts';
export type { LockFacts } from './unlock.ts';
