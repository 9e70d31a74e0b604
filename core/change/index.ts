/** The door of this room: from the desired to the applied state. */
export { type ApplyInput, type ApplyResult, apply } from './apply.ts';
export * from './change-set.ts';
export { type DiffInput, diff } from './diff.ts';
export { limitProbes } from './limit-probes.ts';
export { observe } from './observe.ts';
export type { Observed } from './observed.ts';
export { type ApplyWarning, type Probed, type Probes, probeFailure } from './probe.ts';
export { encodeChangeSet, parseChangeSet } from './saved.ts';
