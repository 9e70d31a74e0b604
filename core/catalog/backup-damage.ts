import type { Kysely, RawBuilder, Transaction } from 'kysely';
import { batches } from './batches.ts';
import type { BackupRecord } from './catalog.ts';
import { kysely } from './kysely.ts';
import type { BackupRow, Tables } from './tables.ts';

/**
 * What checks found of backups stands beside what was recorded of them: an import, which reads no data, must not take it
 * back, and when it is mended they are again what they were.
 */
export async function setDamage(
  db: Transaction<Tables>,
  destination: string,
  hurt: ReadonlyMap<string, string>,
  others: 'whole' | 'unknown',
): Promise<void> {
  if (others === 'whole') await takeBack(db, destination, hurt);
  for (const [snapshot, damage] of hurt) {
    await db
      .updateTable('backup')
      .set({ damage })
      .where('destination', '=', destination)
      .where('snapshot', '=', snapshot)
      .execute();
  }
}

async function takeBack(db: Kysely<Tables>, destination: string, hurt: ReadonlyMap<string, string>): Promise<void> {
  const marked = await db
    .selectFrom('backup')
    .select('snapshot')
    .where('destination', '=', destination)
    .where('damage', 'is not', null)
    .execute();
  const whole = marked.map(({ snapshot }) => snapshot).filter((snapshot) => !hurt.has(snapshot));
  for (const batch of batches(whole, 500)) {
    await db
      .updateTable('backup')
      .set({ damage: null })
      .where('destination', '=', destination)
      .where('snapshot', 'in', batch)
      .execute();
  }
}

/** In queries: 1 where a copy lacks something, by how it was made or by a check. */
export function partialNow(): RawBuilder<number> {
  return kysely.sql<number>`(case when damage is null then partial else 1 end)`;
}

export function isPartial({ partial, damage }: Pick<BackupRow, 'partial' | 'damage'>): boolean {
  return partial === 1 || damage !== null;
}

const damageText = 'damaged in the repository: ';

export function withDamage(warnings: readonly string[], damage: string | null): readonly string[] {
  return damage === null ? warnings : [...warnings, `${damageText}${damage}`];
}

/** Those that it was recorded with. */
export function withoutDamage({ warnings, damage }: Pick<BackupRecord, 'warnings' | 'damage'>): readonly string[] {
  return damage === undefined ? warnings : warnings.filter((warning) => warning !== `${damageText}${damage}`);
}
