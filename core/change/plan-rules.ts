import type { Resource } from '../config/index.ts';
import { keepingOf } from '../keeping.ts';
import type { Consequence } from './change-set.ts';
import { expiringIds, expiry } from './expiry.ts';
import { describeHeld, figures, heldBackups, stillHolding } from './held-backups.ts';
import { firstRun, lastRun, movedRun } from './next-run.ts';
import { shrinks } from './retention-rules.ts';
import type { Rules, Verdict, World } from './rule.ts';
import { stringsIn } from './spec.ts';

export const planRules: Rules = {
  add(after, world) {
    const expiring = expiry(after.name, false, world); // of a plan that was known before, or found by an import
    return { destructive: expiring.length > 0, consequences: [...firstRun(after, world), ...expiring] };
  },

  change(before, after, changed, world) {
    const kept = ['retention', 'timezone'].some((field) => changed.has(field))
      ? keptOtherwise(before, after, world)
      : { destructive: false, consequences: [] };
    return {
      destructive: kept.destructive,
      consequences: [
        ...(timing.some((field) => changed.has(field)) ? movedRun(before, after, world) : []),
        ...nextBackup(before, changed),
        ...(changed.has('destinations') ? otherDestinations(before, after, world) : []),
        ...kept.consequences,
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

/** By another policy, or in the days of another zone. */
function keptOtherwise(
  before: Resource,
  after: Resource,
  world: World,
): Required<Pick<Verdict, 'destructive' | 'consequences'>> {
  const [old, next] = [keepingOf(before, world.applied), keepingOf(after, world.desired)];
  const less = shrinks(old.policy, next.policy);
  const consequences = expiry(after.name, less, world);
  return { destructive: less || expiringIds(consequences).length > 0, consequences };
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
