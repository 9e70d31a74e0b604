import type { Resource } from '../config/index.ts';
import { parseDuration } from '../units.ts';
import type { Consequence } from './change-set.ts';
import { describeHeld, figures, heldBackups } from './held-backups.ts';
import type { Rules, World } from './rule.ts';
import type { Spec } from './spec.ts';

export const retentionRules: Rules = {
  change(before, after, _changed, world) {
    const destructive = shrinks(before.spec, after.spec);
    const plans = [...world.desired.values()].filter((one) => isUser(one, after.name));
    return {
      destructive,
      consequences: plans.flatMap((plan) => retentionConsequence(plan.name, destructive, world)),
    };
  },
};

/** True when some rule keeps less than before. No policy at all keeps everything. */
export function shrinks(before: Spec | undefined, after: Spec | undefined): boolean {
  if (after === undefined) return false;
  if (before === undefined) return true;
  return keepRules.some((rule) => amount(after, rule) < amount(before, rule));
}

/** What a policy that keeps less, or not less, means for the backups that a plan has. */
export function retentionConsequence(plan: string, less: boolean, world: World): readonly Consequence[] {
  const held = heldBackups(world, { plan });
  if (!less || held.copies === 0) return [];
  const text = `${plan} has ${describeHeld(held)}: this version does not expire backups yet, so nothing is deleted; a version that does will follow the new policy`;
  return [{ kind: 'retention', text, ...figures(held) }];
}

const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'minimum'] as const;
const spans = ['within', 'recovery'] as const;
const keepRules = [...counts, ...spans];

function amount(policy: Spec, rule: (typeof keepRules)[number]): number {
  const value = policy[rule];
  if (typeof value === 'string') return parseDuration(value);
  if (typeof value === 'number') return value;
  return rule === 'minimum' ? 1 : 0;
}

function isUser(resource: Resource, policy: string): boolean {
  return resource.collection === 'plans' && resource.spec.retention === policy;
}
