import type { Resource } from '../config/index.ts';
import { keepingOf } from '../keeping.ts';
import { countedRules, type RetentionPolicy, retentionPolicy } from '../retention/index.ts';
import { expiringIds, expiry } from './expiry.ts';
import type { Rules, World } from './rule.ts';

export const retentionRules: Rules = {
  change(before, after, _changed, world) {
    const less = shrinks(retentionPolicy(before.spec), retentionPolicy(after.spec));
    const consequences = staying(after.name, world).flatMap((plan) => expiry(plan.name, less, world));
    return { destructive: less || expiringIds(consequences).length > 0, consequences };
  },
};

/** True when some rule keeps less than before. No policy at all keeps everything. */
export function shrinks(before: RetentionPolicy | undefined, after: RetentionPolicy | undefined): boolean {
  if (after === undefined) return false;
  if (before === undefined) return true;
  return keepRules.some((rule) => after[rule] < before[rule]);
}

const keepRules = [...countedRules, 'minimum', 'withinMs', 'recoveryMs'] as const;

/** Plans that have this policy before and after; what else changes how they keep their backups is told at the plan. */
function staying(policy: string, { desired, applied }: World): readonly Resource[] {
  return [...desired.values()].filter((plan) => {
    const before = applied.get(plan.address);
    return (
      plan.collection === 'plans' &&
      plan.spec.retention === policy &&
      before?.spec.retention === policy &&
      keepingOf(before, applied).timezone === keepingOf(plan, desired).timezone
    );
  });
}
