import type { Job, NewJob } from '../catalog/index.ts';
import type { CheckOutcome } from '../operation/index.ts';
import type { ReadAmount } from '../repository/index.ts';
import { destinationJob } from './destination-job.ts';
import type { JobOutcome } from './operation.ts';

/** What came of a check, as its job keeps it. */
export type CheckJobResult = Omit<CheckOutcome, 'suspects' | 'readWholeAt'> & {
  readonly destination: string;
  readonly readWholeAt?: string;
};

/** A check of a destination's repository, with so much of its data. */
export function checkJob(destination: string, read: ReadAmount, trigger: Job['trigger']): NewJob {
  return destinationJob({ kind: 'check', destination, trigger, request: { read }, mode: 'read' });
}

export function readOf({ request }: Job): ReadAmount {
  return request.read as ReadAmount;
}

/** The row of a job in the catalog stays some megabytes at most. */
const keptFindings = 1_000;

/** What is damaged, or was not looked at, makes the job `partial`: a check that succeeded is one that found all well. */
export function checkOutcome({ suspects: _, readWholeAt, ...outcome }: CheckOutcome, destination: string): JobOutcome {
  const result: CheckJobResult = {
    ...outcome,
    destination,
    findings: outcome.findings.slice(0, keptFindings),
    ...(readWholeAt && { readWholeAt: readWholeAt.toISOString() }),
  };
  return { result: { ...result }, partial: outcome.verdict !== 'good' };
}
