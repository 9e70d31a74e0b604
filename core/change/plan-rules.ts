import type { Resource } from '../config/index.ts';
import type { Consequence } from './change-set.ts';
import { describeHeld, figures, heldBackups, stillHolding } from './held-backups.ts';
import { firstRun, lastRun, movedRun } from './next-run.ts';
import { retentionConsequence, shrinks } from './retention-rules.ts';
import type { Rules, World } from './rule.ts';
import { type Spec, stringIn, stringsIn } from './spec.ts';

export const planRules: Rules = {
  add: (after, world) => ({ consequences: firstRun(after, world) }),

  change(before, after, changed, world) {
    const less = changed.has('retention') && shrinks(policyOf(before, world.applied), policyOf(after, world.desired));
    return {
      destructive: less,
      consequences: [
        ...(timing.some((field) => changed.has(field)) ? movedRun(before, after, world) : []),
        ...nextBackup(before, changed),
        ...(changed.has('destinations') ? otherDestinations(before, after, world) : []),
        ...retentionConsequence(after.name, less, world),
      ],
    };
  },

  remove(before, world) {
    const held = heldBackups(world, { plan: before.name });
    if (held.copies === 0) return { consequences: lastRun(before, world) };
    if (before.spec.onRemove !== 'orphan') {
      return { refuse: stillHolding(before, held, 'its backups are kept and can be restored', world) };
    }
    const text = `${describeHeld(held)} stay and can be restored; no retention applies to them any more`;
    return { consequences: [...lastRun(before, world), { kind: 'backups-kept', text, ...figures(held) }] };
  },
};

const timing = ['schedule', 'manual', 'timezone', 'jitter', 'window', 'missed'];

function policyOf(plan: Resource, resources: World['desired']): Spec | undefined {
  const name = stringIn(plan.spec, 'retention');
  return name === undefined ? undefined : resources.get(`retention.${name}`)?.spec;
}

function nextBackup(before: Resource, changed: ReadonlySet<string>): readonly Consequence[] {
  const texts: string[] = [];
  if (changed.has('source')) {
    texts.push(`the next backup reads everything; earlier ones are of ${before.spec.source} and stay its`);
  } else if (changed.has('type')) {
    texts.push('the next backup reads everything; earlier ones keep their type');
  }
  if (changed.has('include') || changed.has('exclude')) {
    texts.push('the next backup holds another selection; earlier ones keep theirs');
  }
  return texts.map((text) => ({ kind: 'next-backup', text }));
}

function otherDestinations(before: Resource, after: Resource, world: World): readonly Consequence[] {
  const [old, current] = [stringsIn(before.spec, 'destinations'), stringsIn(after.spec, 'destinations')];
  const left = old.filter((name) => !current.includes(name));
  const joined = current.filter((name) => !old.includes(name));
  return [
    ...left.flatMap((destination) => staying(heldBackups(world, { plan: before.name, destination }))),
    ...joined.map((name): Consequence => {
      return {
        kind: 'next-backup',
        text: `backups go to ${name} from the next one on; earlier ones are not copied there`,
      };
    }),
  ];
}

function staying(held: ReturnType<typeof heldBackups>): readonly Consequence[] {
  if (held.copies === 0) return [];
  const text = `${describeHeld(held)} stay there and can be restored; no new ones are added`;
  return [{ kind: 'backups-kept', text, ...figures(held) }];
}
