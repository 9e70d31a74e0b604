/** The door of this room: the life of a job. */
export { type FollowOptions, submitAndFollow } from './follow.ts';
export { leaseMs } from './lease.ts';
export type { JobContext, JobOutcome, Operation, Operations } from './operation.ts';
export { backupJob, describeError, jobSubject, missedJob, type RunTimes, requestTime } from './request.ts';
export { type RunJobOptions, runJob } from './run-job.ts';
export { takeOver } from './take-over.ts';
