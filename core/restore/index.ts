/** The door of this room: a restore as data, and the choice of what is restored. Pure. */
export { makeRestorePlan, type PatternsOf, planWith } from './choose.ts';
export { backupOfOther, noBackup, noBackupAt, noLongerThere, timeToCome } from './no-backup.ts';
export type {
  Alternative,
  Candidate,
  PlannedBackup,
  RestoreOptions,
  RestorePlan,
  RestoreTarget,
  RestoreWish,
} from './plan.ts';
