import type { Resource } from '../config/index.ts';
import type { Consequence } from './change-set.ts';
import { describeHeld, figures, heldBackups } from './held-backups.ts';
import type { Rules, World } from './rule.ts';

export const sourceRules: Rules = {
  change(before, after, changed, world) {
    if (changed.has('driver')) return { refuse: otherDriver(before, after) };
    return { consequences: [...changed].some((field) => field !== 'labels') ? affected(after, world) : [] };
  },

  remove(before, world) {
    const held = heldBackups(world, { source: before.name });
    if (held.copies === 0) return {};
    const text = `${describeHeld(held)} stay, and restore into a folder or another source`;
    return { consequences: [{ kind: 'backups-kept', text, ...figures(held) }] };
  },
};

function otherDriver(before: Resource, after: Resource) {
  return {
    reason: `a source cannot change its driver from ${before.spec.driver} to ${after.spec.driver}`,
    hint: `Declare it under another name, move its plans there, and remove ${before.name}.`,
  };
}

function affected(source: Resource, { desired }: World): readonly Consequence[] {
  const plans = [...desired.values()].filter((one) => one.collection === 'plans' && one.spec.source === source.name);
  if (plans.length === 0) return [];
  const names = plans.map((plan) => plan.name).join(', ');
  return [{ kind: 'affects', text: `read that way from the next run of ${names} on` }];
}
