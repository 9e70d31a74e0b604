import type { Kysely, Transaction } from 'kysely';
import { isPartial } from './backup-damage.ts';
import { batches } from './batches.ts';
import type { CopyName, Pin, RetainedCopies, RetainedCopy } from './catalog.ts';
import { fromJson, jsonColumn, toTime } from './columns.ts';
import type { PartContext } from './part-context.ts';
import type { Tables } from './tables.ts';

export function openRetained({ db, clock }: PartContext): RetainedCopies {
  return {
    list: (plans) => list(db, plans),
    pin: (destination, id, pin) => setPin(db, destination, id, pin),
    keep: (copy, pin) => keep(db, copy, pin),
    seen: (destination, snapshots) => setSeen(db, destination, snapshots, clock.now()),
  };
}

export function pinColumn(pin: Pin): string;
export function pinColumn(pin: Pin | undefined): string | null;
export function pinColumn(pin: Pin | undefined): string | null {
  return jsonColumn(pin);
}

export function toPin(column: string | null): Pin | undefined {
  const pin = fromJson<Omit<Pin, 'at'> & { at: string }>(column);
  return pin && { ...pin, at: new Date(pin.at) };
}

/** Sets these pins of a destination, and takes those away that are undefined. */
export async function setPins(
  db: Transaction<Tables>,
  destination: string,
  pins: ReadonlyMap<string, Pin | undefined>,
): Promise<void> {
  for (const [id, pin] of pins) await setPin(db, destination, id, pin);
}

async function setPin(db: Kysely<Tables>, destination: string, id: string, pin: Pin | undefined): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('backup')
    .set({ pin: pinColumn(pin) })
    .where('destination', '=', destination)
    .where('id', '=', id)
    .where('expiringAt', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

async function keep(db: Kysely<Tables>, { destination, snapshot }: CopyName, pin: Pin): Promise<void> {
  await db
    .updateTable('backup')
    .set({ pin: pinColumn(pin), expiringAt: null })
    .where('destination', '=', destination)
    .where('snapshot', '=', snapshot)
    .execute();
}

async function setSeen(db: Kysely<Tables>, destination: string, snapshots: readonly string[], at: Date): Promise<void> {
  for (const batch of batches(snapshots, 500)) {
    await db
      .updateTable('backup')
      .set({ seenAt: at.getTime() })
      .where('destination', '=', destination)
      .where('snapshot', 'in', batch)
      .execute();
  }
}

/** In `seenAt`, see there. */
export const seenNever = 0;

const columns = [
  ...(['id', 'destination', 'snapshot', 'plan', 'source', 'consistentAt', 'sizeBytes', 'partial'] as const),
  ...(['pin', 'expiringAt', 'identity', 'addedBytes', 'damage', 'seenAt'] as const),
];

async function list(db: Kysely<Tables>, plans: readonly string[]): Promise<readonly RetainedCopy[]> {
  const copies: RetainedCopy[] = [];
  for (const batch of batches(plans, 500)) {
    const rows = await db.selectFrom('backup').select(columns).where('plan', 'in', batch).execute();
    for (const { pin, expiringAt, identity, addedBytes, damage, partial, seenAt, ...row } of rows) {
      const imported = addedBytes === null;
      const behind = seenAt === seenNever;
      const unseen = behind || (imported && seenAt === null);
      const whose = { ...(identity === null ? {} : { identity }), imported, unseen, behind };
      const marks = { pinned: pin !== null, expiring: expiringAt !== null, ...whose };
      copies.push({
        ...row,
        consistentAt: toTime(row.consistentAt),
        partial: isPartial({ partial, damage }),
        ...marks,
      });
    }
  }
  return copies.sort((a, b) => b.consistentAt.getTime() - a.consistentAt.getTime() || (a.id < b.id ? 1 : -1));
}
