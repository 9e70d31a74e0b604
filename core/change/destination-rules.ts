import type { Resource } from '../config/index.ts';
import type { Consequence } from './change-set.ts';
import { passiveFields } from './fields.ts';
import { describeHeld, figures, heldBackups, stillHolding } from './held-backups.ts';
import type { Rules, World } from './rule.ts';

export const destinationRules: Rules = {
  change(before, _after, changed, world) {
    const destructive = [...changed].some((field) => !passiveFields.has(field));
    return { destructive, consequences: [...stranded(before, changed, world), ...password(changed)] };
  },

  /** See docs/decisions/2026-11-20-removing-what-holds-backups.md. */
  remove(before, world) {
    const held = heldBackups(world, { destination: before.name });
    if (held.copies === 0) return {};
    if (before.spec.onRemove !== 'orphan') {
      return { refuse: stillHolding(before, held, orphaned, world) };
    }
    const text = `${describeHeld(held)} stay in its repository but are no longer listed; ${importHint}`;
    return { consequences: [{ kind: 'backups-stranded', text, ...figures(held) }] };
  },
};

const orphaned = 'its repository stays as it is, and its backups are no longer listed';
const importHint = '`tidemark catalog import` finds them when it is declared again';

function stranded(before: Resource, changed: ReadonlySet<string>, world: World): readonly Consequence[] {
  const held = heldBackups(world, { destination: before.name });
  if (held.copies === 0 || ![...changed].some((field) => isPlace(before, field, world))) return [];
  const text = `unless its repository was moved along, ${describeHeld(held)} stay at the old place and are no longer listed; ${importHint} with the old place`;
  return [{ kind: 'backups-stranded', text, ...figures(held) }];
}

/** The driver knows which settings say where it is; of one that is not known here, any may. */
function isPlace({ spec }: Resource, field: string, { destinations }: World): boolean {
  const driver = destinations.find(({ kind }) => kind === spec.driver);
  return field === 'driver' || (driver?.placeSettings.includes(field) ?? !passiveFields.has(field));
}

function password(changed: ReadonlySet<string>): readonly Consequence[] {
  if (!changed.has('password')) return [];
  const text = 'the repository has to open with the new password already: `tidemark key add` makes it so';
  return [{ kind: 'credentials', text }];
}
