/** The door of this room: what tidemark remembers. */
export { clockStepMs } from './backups.ts';
export * from './catalog.ts';
export { copyThing } from './expiry.ts';
export * from './job-state.ts';
export { rejectUnfit } from './lengths.ts';
export { openSqliteCatalog } from './sqlite-catalog.ts';
