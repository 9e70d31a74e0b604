/** The door of this room: the life of a job. */

export { type CheckJobResult, checkJob } from './check-job.ts';
export { destinationJob } from './destination-job.ts';
export { type FollowOptions, submitAndFollow, submitDetached } from './follow.ts';
export { jobKinds, operationOf, planKinds } from './kinds.ts';
export { killMs, leaseMs, letGoMs, marginMs } from './lease-times.ts';
export type { JobContext, JobKind, JobKinds, JobOutcome, Operation } from './operation.ts';
export { type PruneJobResult, pruneJob } from './prune-job.ts';
export { type RepairJobResult, repairJob } from './repair-job.ts';
export { backupJob, describeError, jobSubject, missedJob, type RunTimes, requestTime } from './request.ts';
export { type RestoreJobResult, restoreJob } from './restore-job.ts';
export { type RunJobOptions, runJob } from './run-job.ts';
export { takeOver } from './take-over.ts';
export { restoreUses } from './uses.ts';
