import type { Resource } from './config/index.ts';
import { timetableSettings } from './config/index.ts';
import { type RetentionPolicy, retentionPolicy } from './retention/index.ts';

/** What decides which backups of a plan stay. Without a policy all of them do. */
export interface Keeping {
  readonly policy?: RetentionPolicy;
  readonly timezone: string;
}

/** `resources` are those that the plan lives among. No plan keeps everything. */
export function keepingOf(plan: Resource | undefined, resources: ReadonlyMap<string, Resource>): Keeping {
  if (plan === undefined) return { timezone: 'UTC' };
  const { timezone } = timetableSettings(plan.spec);
  const policy = resources.get(`retention.${String(plan.spec.retention)}`);
  return policy === undefined ? { timezone } : { policy: retentionPolicy(policy.spec), timezone };
}

export function keepsAlike(one: Keeping, other: Keeping): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
