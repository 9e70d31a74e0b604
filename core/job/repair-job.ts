import type { Job, NewJob } from '../catalog/index.ts';
import type { RepairOutcome } from '../operation/index.ts';
import type { RepairPlan } from '../repository/index.ts';
import { destinationJob } from './destination-job.ts';
import type { JobOutcome } from './operation.ts';

/** What came of a repair, as its job keeps it. */
export type RepairJobResult = RepairOutcome & { readonly destination: string };

/** A repair that a person asked for: its request is the plan, which is executed as it stands. */
export function repairJob(destination: string, plan: RepairPlan): NewJob {
  return destinationJob({ kind: 'repair', destination, trigger: 'manual', request: { plan }, mode: 'write' });
}

export function planOf({ request }: Job): RepairPlan {
  return request.plan as RepairPlan;
}

/** What is not well after it, or was lost by it, makes the job `partial`. */
export function repairOutcome(outcome: RepairOutcome, destination: string): JobOutcome {
  return { result: { ...outcome, destination }, partial: outcome.verdict !== 'good' || outcome.lessened > 0 };
}
