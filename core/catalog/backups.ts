import type { ExpressionBuilder, Kysely, Transaction } from 'kysely';
import type { BackupType } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import { isPartial, partialNow, setDamage, withDamage, withoutDamage } from './backup-damage.ts';
import { batches } from './batches.ts';
import type { BackupFilter, BackupRecord, BackupStock, Backups, BackupTotals, BackupWithManifest } from './catalog.ts';
import { fromJson, jsonColumn, timeColumn, toTime } from './columns.ts';
import { expire, forgetExpiring, obstacle } from './expiry.ts';
import { idPatterns, meantIds } from './id-part.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import { pinColumn, seenNever, setPins, toPin } from './retained.ts';
import type { BackupRow, Tables } from './tables.ts';

export function openBackups(context: PartContext): Backups {
  const { db } = context;
  return {
    record: (backup, job) => db.transaction().execute((transaction) => record(transaction, backup, job)),
    list: (filter = {}) => list(db, filter),
    get: (idPart) => get(db, idPart),
    copy: (destination, snapshot) => copy(db, destination, snapshot),
    copies: async (id) => (await db.selectFrom('backup').select(listed).where('id', '=', id).execute()).map(toBackup),
    expire: (name, terms) => expire(context, name, terms),
    obstacle: (name, terms) => obstacle(db, name, terms),
    forget: (destination, snapshots, events) => forgetExpiring(context, destination, snapshots, events),
    setDamage: (destination, hurt, others) =>
      db.transaction().execute((transaction) => setDamage(transaction, destination, hurt, others)),
    totals: () => totals(db),
    takeStock: (destination, stock) =>
      db.transaction().execute((transaction) => takeStock(transaction, destination, stock)),
  };
}

async function record(
  db: Transaction<Tables>,
  backup: BackupWithManifest,
  job: string | undefined,
): Promise<BackupWithManifest> {
  const named = {
    ...backup,
    ...(await marksOf(db, backup)),
    ...(job === undefined ? {} : await namesOf(db, job)),
  };
  const { manifest, seenAt, ...row } = toRow(named);
  const behind = job !== undefined && (await isBehind(db, row)); // what is recorded anew may have newer ones beside it
  await db
    .replaceInto('backup')
    .values({ ...row, seenAt: behind ? seenNever : seenAt, manifest })
    .execute(); // one statement: the copy is never not there
  return { ...toBackup(row), manifest: backup.manifest };
}

/** Clocks are put back by less without anything being wrong. */
export const clockStepMs = 5 * 60_000;

/** Of a backup that was just made: whether another of its history is dated after it. */
async function isBehind(
  db: Transaction<Tables>,
  { plan, source, destination, consistentAt }: Pick<BackupRow, 'plan' | 'source' | 'destination' | 'consistentAt'>,
): Promise<boolean> {
  const later = await db
    .selectFrom('backup')
    .select('id')
    .where('plan', '=', plan)
    .where('source', '=', source)
    .where('destination', '=', destination)
    .where('expiringAt', 'is', null)
    .where('consistentAt', '>', consistentAt + clockStepMs)
    .limit(1)
    .executeTakeFirst();
  return later !== undefined;
}

/** What it was marked with since an import found it. */
async function marksOf(
  db: Transaction<Tables>,
  { destination, snapshot }: BackupRecord,
): Promise<Pick<BackupRecord, 'pin' | 'expiringAt' | 'damage'>> {
  const row = await db
    .selectFrom('backup')
    .select(['pin', 'expiringAt', 'damage'])
    .where('destination', '=', destination)
    .where('snapshot', '=', snapshot)
    .executeTakeFirst();
  return row === undefined ? {} : toMarks(row);
}

async function namesOf(
  db: Transaction<Tables>,
  id: string,
): Promise<Partial<Pick<BackupRecord, 'plan' | 'source' | 'destination'>>> {
  const job = await db
    .selectFrom('job')
    .select(['plan', 'source', 'destination'])
    .where('id', '=', id)
    .executeTakeFirst();
  return Object.fromEntries(Object.entries(job ?? {}).filter(([, name]) => name !== null));
}

const defaultLimit = 1000;

/** All columns but the manifest, which SQLite then does not read either: it is the last one of the row. */
const listed = [
  ...(['destination', 'snapshot', 'id', 'plan', 'source', 'driver', 'type', 'startedAt', 'endedAt'] as const),
  ...(['consistentAt', 'sizeBytes', 'addedBytes', 'items', 'partial', 'warnings', 'selection'] as const),
  ...(['identity', 'pin', 'expiringAt', 'damage'] as const),
];

async function list(db: Kysely<Tables>, filter: BackupFilter): Promise<readonly BackupRecord[]> {
  const direction = filter.order === 'oldest' ? 'asc' : 'desc';
  let query = db.selectFrom('backup').select(listed).orderBy('consistentAt', direction).orderBy('id', direction);
  for (const field of ['plan', 'source', 'destination', 'type'] as const) {
    const value = filter[field];
    if (value !== undefined) query = query.where(field, '=', value);
  }
  if (filter.partial !== undefined) query = query.where(partialNow(), '=', filter.partial ? 1 : 0);
  if (filter.pinned !== undefined) query = query.where('pin', filter.pinned ? 'is not' : 'is', null);
  if (filter.expiring !== undefined) query = query.where('expiringAt', filter.expiring ? 'is not' : 'is', null);
  if (filter.since !== undefined) query = query.where('consistentAt', '>=', filter.since.getTime());
  if (filter.until !== undefined) query = query.where('consistentAt', '<=', filter.until.getTime());
  const rows = await query.limit(filter.limit ?? defaultLimit).execute();
  return rows.map(toBackup);
}

/** Copies of one backup are one backup: the copy that was finished first stands for it. */
async function get(db: Kysely<Tables>, idPart: string): Promise<BackupWithManifest> {
  const candidates = await copiesLike(db, idPart);
  const ids = meantIds(
    idPart,
    candidates.map(({ id }) => id),
  );
  if (ids.length > 1) throw ambiguous(idPart, ids);
  const found = candidates.find(({ id }) => id === ids[0]);
  if (found === undefined) throw notFound(idPart);
  return copy(db, found.destination, found.snapshot);
}

async function copy(db: Kysely<Tables>, destination: string, snapshot: string): Promise<BackupWithManifest> {
  const row = await db
    .selectFrom('backup')
    .selectAll()
    .where('destination', '=', destination)
    .where('snapshot', '=', snapshot)
    .executeTakeFirst();
  if (row === undefined) throw notFound(snapshot);
  const { manifest, seenAt: _, ...rest } = row;
  return { ...toBackup(rest), manifest: fromJson(manifest) };
}

/** Enough candidates to say that a part is ambiguous. */
const candidateLimit = 1000;

function copiesLike(
  db: Kysely<Tables>,
  idPart: string,
): Promise<readonly Pick<BackupRow, 'id' | 'destination' | 'snapshot'>[]> {
  const patterns = idPatterns(idPart);
  const snapshot = snapshotPattern(idPart);
  return db
    .selectFrom('backup')
    .select(['id', 'destination', 'snapshot'])
    .where((is) =>
      is.or([
        ...(patterns === undefined ? [] : [is('id', 'like', patterns.start), is('id', 'like', patterns.end)]),
        ...(snapshot === undefined ? [] : [is('snapshot', 'like', snapshot)]),
      ]),
    )
    .orderBy('endedAt')
    .orderBy('destination')
    .limit(candidateLimit)
    .execute();
}

/** restic shows eight digits of a snapshot's id; fewer are taken as a part of a backup's id only. */
function snapshotPattern(idPart: string): string | undefined {
  const part = idPart.toLowerCase();
  return /^[0-9a-f]{8,64}$/.test(part) ? `${part}%` : undefined;
}

function ambiguous(idPart: string, ids: readonly string[]): TidemarkError {
  return new TidemarkError('BACKUP_AMBIGUOUS', `${idPart} fits ${ids.length} backups`, {
    hint: `Give more of the identifier; the first that fit are ${ids.slice(0, 3).join(', ')}.`,
  });
}

function notFound(idPart: string): TidemarkError {
  return new TidemarkError('BACKUP_NOT_FOUND', `there is no backup ${idPart === '' ? 'with an empty id' : idPart}`, {
    hint: 'Run `tidemark backups` to list them, or `tidemark catalog import` to find those of a repository again.',
  });
}

async function totals(db: Kysely<Tables>): Promise<readonly BackupTotals[]> {
  const rows = await db
    .selectFrom('backup')
    .select(['plan', 'source', 'destination'])
    .select(({ fn }) => [
      fn.countAll<number>().as('copies'),
      fn.sum<number>('sizeBytes').as('sizeBytes'),
      fn.min('consistentAt').as('oldestAt'),
      fn.max('consistentAt').as('newestAt'),
    ])
    .groupBy(['plan', 'source', 'destination'])
    .orderBy('plan')
    .orderBy('source')
    .orderBy('destination')
    .execute();
  return rows.map(({ copies, sizeBytes, oldestAt, newestAt, ...names }) => ({
    ...names,
    copies: Number(copies),
    sizeBytes: Number(sizeBytes), // MySQL gives sums as text
    oldestAt: toTime(oldestAt),
    newestAt: toTime(newestAt),
  }));
}

async function takeStock(
  db: Transaction<Tables>,
  destination: string,
  { found, gone, damaged, pins }: BackupStock,
): Promise<{ added: number; removed: number }> {
  let added = 0;
  let removed = 0;
  for (const backup of found) added += await refresh(db, { ...toRow(backup), destination });
  for (const batch of batches(gone, 500)) removed += await remove(db, destination, batch);
  for (const [snapshot, why] of damaged) await markDamaged(db, destination, snapshot, why);
  await setPins(db, destination, pins ?? new Map());
  return { added, removed };
}

/** Gives 1 when the copy was not known. */
async function refresh(db: Transaction<Tables>, row: BackupRow): Promise<number> {
  const {
    destination,
    snapshot,
    plan: _,
    source: _s,
    addedBytes: _a,
    pin: _p,
    expiringAt: _e,
    damage: _d,
    seenAt: _n,
    ...told
  } = row;
  const { numUpdatedRows } = await db
    .updateTable('backup')
    .set(told)
    .where('destination', '=', destination)
    .where('snapshot', '=', snapshot)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return 0;
  const { numInsertedOrUpdatedRows } = await db.insertInto('backup').ignore().values(row).executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows);
}

async function remove(db: Transaction<Tables>, destination: string, snapshots: readonly string[]): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('backup')
    .where('destination', '=', destination)
    .where('snapshot', 'in', [...snapshots])
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

const damageText = 'damaged in the repository: ';

async function markDamaged(db: Transaction<Tables>, destination: string, snapshot: string, why: string): Promise<void> {
  const copy = (is: ExpressionBuilder<Tables, 'backup'>) =>
    is.and([is('destination', '=', destination), is('snapshot', '=', snapshot)]);
  for (;;) {
    const row = await db.selectFrom('backup').select('warnings').where(copy).executeTakeFirst();
    if (row === undefined) return;
    const others = fromJson<readonly string[]>(row.warnings).filter((warning) => !warning.startsWith(damageText));
    const warnings = jsonColumn([...others, `${damageText}${why}`]);
    const { numUpdatedRows } = await db
      .updateTable('backup')
      .set({ partial: 1, warnings })
      .where(copy)
      .where('warnings', '=', row.warnings)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return;
  }
}

function toRow(backup: BackupWithManifest): BackupRow {
  return fitting('backup', {
    destination: backup.destination,
    snapshot: backup.snapshot,
    id: backup.id,
    plan: backup.plan,
    source: backup.source,
    driver: backup.driver,
    type: backup.type,
    startedAt: timeColumn(backup.startedAt),
    endedAt: timeColumn(backup.endedAt),
    consistentAt: timeColumn(backup.consistentAt),
    sizeBytes: backup.sizeBytes,
    addedBytes: backup.addedBytes ?? null,
    items: backup.items,
    partial: backup.partial ? 1 : 0,
    warnings: jsonColumn(withoutDamage(backup)),
    selection: jsonColumn(backup.selection),
    identity: backup.identity ?? null,
    pin: pinColumn(backup.pin),
    expiringAt: timeColumn(backup.expiringAt),
    damage: backup.damage ?? null,
    seenAt: null,
    manifest: jsonColumn(backup.manifest),
  });
}

function toBackup(row: Omit<BackupRow, 'manifest' | 'seenAt'>): BackupRecord {
  const { addedBytes, identity, pin, expiringAt, damage, ...rest } = row;
  return {
    ...rest,
    ...(addedBytes === null ? {} : { addedBytes }),
    ...(identity === null ? {} : { identity }),
    ...toMarks({ pin, expiringAt, damage }),
    type: row.type as BackupType,
    startedAt: toTime(row.startedAt),
    endedAt: toTime(row.endedAt),
    consistentAt: toTime(row.consistentAt),
    partial: isPartial(row),
    warnings: withDamage(fromJson(row.warnings), damage),
    selection: fromJson(row.selection),
  };
}

function toMarks({
  pin,
  expiringAt,
  damage,
}: Pick<BackupRow, 'pin' | 'expiringAt' | 'damage'>): Pick<BackupRecord, 'pin' | 'expiringAt' | 'damage'> {
  return {
    ...(damage === null ? {} : { damage }),
    ...(pin === null ? {} : { pin: toPin(pin) }),
    ...(expiringAt === null ? {} : { expiringAt: toTime(expiringAt) }),
  };
}
