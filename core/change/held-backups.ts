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
