/** The door of this room: which backups stay, and why. Pure; nothing here reads the time. */
export type { Candidate } from './candidate.ts';
export { decide, type Retention } from './decide.ts';
export { type HistoryKey, historiesOf } from './history.ts';
export { countedRules, keepsNothing, type RetentionPolicy, retentionPolicy } from './policy.ts';
export type { Decision, Reason, ReasonRule } from './reason.ts';
export { withoutTwins } from './twins.ts';
