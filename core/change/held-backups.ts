import type { Resource } from '../config/index.ts';
import { formatBytes } from '../units.ts';
import type { Consequence } from './change-set.ts';
import type { World } from './rule.ts';

/** Copies of backups in the catalog, summed up. */
export interface HeldBackups {
  readonly copies: number;
  readonly sizeBytes: number;
  readonly destinations: readonly string[];
}

/** What is known under these names. */
export function heldBackups(
  { observed }: World,
  names: { readonly plan?: string; readonly source?: string; readonly destination?: string },
): HeldBackups {
  const some = observed.backups.filter((totals) =>
    (['plan', 'source', 'destination'] as const).every((field) => (names[field] ?? totals[field]) === totals[field]),
  );
  return {
    copies: some.reduce((sum, { copies }) => sum + copies, 0),
    sizeBytes: some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    destinations: [...new Set(some.map(({ destination }) => destination))].sort(),
  };
}

/** `12 backups (3.0 GiB) in nas`. */
export function describeHeld({ copies, sizeBytes, destinations }: HeldBackups): string {
  return `${copies} ${copies === 1 ? 'backup' : 'backups'} (${formatBytes(sizeBytes)}) in ${destinations.join(', ')}`;
}

export function figures({ copies, sizeBytes }: HeldBackups): Pick<Consequence, 'backups'> {
  return { backups: { copies, sizeBytes } };
}

/** Why what still holds backups cannot just be taken out, and the two ways to go on. */
export function stillHolding(before: Resource, held: HeldBackups, orphaned: string, { desired, applied }: World) {
  const added = [...desired.values()].filter(
    (one) => one.collection === before.collection && !applied.has(one.address),
  );
  const renamed =
    added.length === 1
      ? `If \`${added[0]!.name}\` is its new name, write \`renamedFrom: ${before.name}\` there.`
      : `If only its name changed, write \`renamedFrom: ${before.name}\` in the one with the new name.`;
  return {
    reason: `it still holds ${describeHeld(held)}`,
    hint: `${renamed} Otherwise set \`onRemove: orphan\` on it and apply, then remove it: ${orphaned}.`,
  };
}
