/** The door of this room: the contracts that drivers fulfil. */
export * from './blob-limits.ts';
export type * from './driver.ts';
export { sameIdentity, tellsMachine, withMachine } from './identity.ts';
export * from './node.ts';
export * from './source.ts';
export type * from './store.ts';
export type * from './thread.ts';
