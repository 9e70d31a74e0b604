/** The door of this room: the use cases that jobs and verbs run. */
export { type BackupRequest, runBackup } from './backup.ts';
export { type BackupChoice, chooseBackup } from './choose-backup.ts';
export type { OperationContext } from './context.ts';
export { type ImportOutcome, importBackups } from './import.ts';
export { addKey, listKeys, removeKey } from './keys.ts';
export { type OpenRepository, openRepository } from './open.ts';
export { type Prepared, prepareDestination, prepareSource, probeDestination, probeSource } from './prepare.ts';
export { type RestoreOutcome, type RestoreRequest, runRestore } from './restore.ts';
