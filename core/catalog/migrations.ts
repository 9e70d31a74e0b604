import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { jsonColumn } from './columns.ts';
import { kysely } from './kysely.ts';
import { columnLengths } from './lengths.ts';
import { restoreRequests } from './restore-requests.ts';
import type { StateRow, Tables } from './tables.ts';

/**
 * The steps that made the schema, in order; the schema's version is how many of them a catalog has been through. A step
 * that was released never changes. They run in one transaction with the write of the version.
 */
export const migrations: readonly ((db: Kysely<Tables>) => Promise<void>)[] = [
  first,
  jobUses,
  backupSelections,
  restoreRequests,
  oneDaemon,
  jobWaiters,
  backupMarks,
  backupIdentities,
  checkStatuses,
  destinationStatuses,
  backupDamage,
  seenBackups,
];

async function first(db: Kysely<Tables>): Promise<void> {
  for (const create of [createState, createBackups, createJobs, createPlans, createEvents, createDaemons]) {
    await create(db);
  }
}

async function createState(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('state')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('lineage', text('state', 'lineage'), (column) => column.notNull())
    .addColumn('serial', 'integer', (column) => column.notNull())
    .addColumn('appliedAt', 'bigint')
    .execute();
  await db
    .insertInto('state')
    .values({ id: 1, lineage: randomUUID(), serial: 0, appliedAt: null } as StateRow)
    .execute();
  await db.schema
    .createTable('resource')
    .addColumn('address', text('resource', 'address'), (column) => column.primaryKey())
    .addColumn('collection', text('resource', 'collection'), (column) => column.notNull())
    .addColumn('name', text('resource', 'name'), (column) => column.notNull())
    .addColumn('spec', anyText, (column) => column.notNull())
    .addColumn('identity', anyText)
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('updatedAt', 'bigint', (column) => column.notNull())
    .execute();
}

async function createBackups({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('backup')
    .addColumn('destination', text('backup', 'destination'), (column) => column.notNull())
    .addColumn('snapshot', text('backup', 'snapshot'), (column) => column.notNull())
    .addColumn('id', text('backup', 'id'), (column) => column.notNull())
    .addColumn('plan', text('backup', 'plan'), (column) => column.notNull())
    .addColumn('source', text('backup', 'source'), (column) => column.notNull())
    .addColumn('driver', text('backup', 'driver'), (column) => column.notNull())
    .addColumn('type', text('backup', 'type'), (column) => column.notNull())
    .addColumn('startedAt', 'bigint', (column) => column.notNull())
    .addColumn('endedAt', 'bigint', (column) => column.notNull())
    .addColumn('consistentAt', 'bigint', (column) => column.notNull())
    .addColumn('sizeBytes', 'bigint', (column) => column.notNull())
    .addColumn('addedBytes', 'bigint')
    .addColumn('items', 'bigint', (column) => column.notNull())
    .addColumn('partial', 'integer', (column) => column.notNull())
    .addColumn('warnings', anyText, (column) => column.notNull())
    .addColumn('manifest', anyText, (column) => column.notNull())
    .addPrimaryKeyConstraint('backup_copy', ['destination', 'snapshot'])
    .execute();
  await index(schema, 'backup', ['id']);
  await index(schema, 'backup', ['snapshot']);
  await index(schema, 'backup', ['consistentAt']);
  await index(schema, 'backup', ['plan', 'consistentAt']);
  await index(schema, 'backup', ['source', 'consistentAt']);
  // Covers `totals`, so that nothing reads the manifests for it.
  await index(schema, 'backup', ['plan', 'source', 'destination', 'consistentAt', 'sizeBytes']);
}

async function createJobs({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('job')
    .addColumn('id', text('job', 'id'), (column) => column.primaryKey())
    .addColumn('kind', text('job', 'kind'), (column) => column.notNull())
    .addColumn('state', text('job', 'state'), (column) => column.notNull())
    .addColumn('trigger', text('job', 'trigger'), (column) => column.notNull())
    .addColumn('source', text('job', 'source'), (column) => column.notNull())
    .addColumn('plan', text('job', 'plan'))
    .addColumn('destination', text('job', 'destination'))
    .addColumn('request', anyText, (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('queuedAt', 'bigint', (column) => column.notNull())
    .addColumn('notBefore', 'bigint')
    .addColumn('startedAt', 'bigint')
    .addColumn('endedAt', 'bigint')
    .addColumn('progress', anyText)
    .addColumn('error', anyText)
    .addColumn('result', anyText)
    .addColumn('cancelRequested', 'integer', (column) => column.notNull())
    .addColumn('leaseOwner', text('job', 'leaseOwner'))
    .addColumn('leaseUntil', 'bigint')
    .addColumn('fence', 'integer', (column) => column.notNull())
    .execute();
  await index(schema, 'job', ['queuedAt']);
  await index(schema, 'job', ['state', 'queuedAt']);
  await index(schema, 'job', ['plan', 'queuedAt']);
  await index(schema, 'job', ['source', 'queuedAt']);
}

async function createPlans({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('plan_status')
    .addColumn('plan', text('plan_status', 'plan'), (column) => column.primaryKey())
    .addColumn('pausedAt', 'bigint')
    .addColumn('suspended', anyText)
    .addColumn('scheduledThrough', 'bigint')
    .addColumn('lastSuccessAt', 'bigint')
    .addColumn('lastFailureAt', 'bigint')
    .execute();
}

async function createEvents({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('event')
    .addColumn('id', text('event', 'id'), (column) => column.primaryKey())
    .addColumn('kind', text('event', 'kind'), (column) => column.notNull())
    .addColumn('level', text('event', 'level'), (column) => column.notNull())
    .addColumn('subject', text('event', 'subject'), (column) => column.notNull())
    .addColumn('text', anyText, (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('firstAt', 'bigint', (column) => column.notNull())
    .addColumn('lastAt', 'bigint', (column) => column.notNull())
    .execute();
  await index(schema, 'event', ['lastAt']);
  await index(schema, 'event', ['kind', 'subject', 'lastAt']);
  await index(schema, 'event', ['subject', 'lastAt']);
}

async function createDaemons({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('daemon')
    .addColumn('owner', text('daemon', 'owner'), (column) => column.primaryKey())
    .addColumn('pid', 'integer', (column) => column.notNull())
    .addColumn('host', text('daemon', 'host'), (column) => column.notNull())
    .addColumn('version', text('daemon', 'version'), (column) => column.notNull())
    .addColumn('startedAt', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('configuration', anyText, (column) => column.notNull())
    .execute();
}

async function index(schema: Kysely<Tables>['schema'], table: keyof Tables, columns: readonly string[]): Promise<void> {
  await schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns([...columns])
    .execute();
}

/** Lengths are for MySQL alone; where SQLite was told others, nothing changes. */
function text<Table extends keyof typeof columnLengths>(table: Table, column: keyof (typeof columnLengths)[Table]) {
  return `varchar(${columnLengths[table][column]})` as `varchar(${number})`;
}

/** What MySQL calls `text` ends at 64 KiB. For SQLite both are the same. */
const anyText = kysely.sql`longtext`;

/** Jobs say what they touch. Those that wait or run meanwhile are taken to write everything that they name. */
async function jobUses(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .alterTable('state')
    .addColumn('claims', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('job').addColumn('uses', anyText).execute();
  const jobs = await db
    .selectFrom('job')
    .select(['id', 'kind', 'source', 'request'])
    .where('state', 'in', ['queued', 'running'])
    .execute();
  for (const { id, kind, source, request } of jobs) {
    const { into } = JSON.parse(request) as { into?: { source?: string; folder?: string } };
    const target = into?.folder === undefined ? `sources.${into?.source ?? source}` : `folder:${into.folder}`;
    const uses = [{ thing: kind === 'backup' ? `sources.${source}` : target, mode: 'write' }];
    await db
      .updateTable('job')
      .set({ uses: jsonColumn(uses) })
      .where('id', '=', id)
      .execute();
  }
}

/** Lists of backups say what was selected. */
async function backupSelections(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('selection', anyText).execute();
  await kysely.sql`update backup set selection = json_extract(manifest, '$.selection')`.execute(db);
  await manifestLast(db);
}

/** So that reading a list does not pass over it. */
async function manifestLast(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('manifestText', anyText).execute();
  await kysely.sql`update backup set manifestText = manifest`.execute(db);
  await db.schema.alterTable('backup').dropColumn('manifest').execute();
  await db.schema.alterTable('backup').renameColumn('manifestText', 'manifest').execute();
}

/** One row with `id` 1, whose `until` has passed while no daemon runs. What stood there before is renewed every few seconds. */
async function oneDaemon(db: Kysely<Tables>): Promise<void> {
  await db.schema.dropTable('daemon').execute();
  await db.schema
    .createTable('daemon')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('owner', text('daemon', 'owner'), (column) => column.notNull())
    .addColumn('pid', 'integer', (column) => column.notNull())
    .addColumn('host', text('daemon', 'host'), (column) => column.notNull())
    .addColumn('version', text('daemon', 'version'), (column) => column.notNull())
    .addColumn('startedAt', 'bigint', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .addColumn('configuration', anyText, (column) => column.notNull())
    .execute();
  const nobody = { owner: '', pid: 0, host: '', version: '', startedAt: 0, until: 0, configuration: '{}' };
  await db
    .insertInto('daemon')
    .values({ id: 1, ...nobody })
    .execute();
}

/** Who waits for a queued job, and would not want it any more when that process dies. */
async function jobWaiters({ schema }: Kysely<Tables>): Promise<void> {
  await schema.alterTable('job').addColumn('waiterOwner', text('job', 'waiterOwner')).execute();
  await schema.alterTable('job').addColumn('waiterUntil', 'bigint').execute();
}

/** What keeps a backup whatever its policy says, and what is on its way out. */
async function backupMarks(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('pin', anyText).execute();
  await db.schema.alterTable('backup').addColumn('expiringAt', 'bigint').execute();
  await manifestLast(db);
}

/** A backup says whose it is, without its manifest. */
async function backupIdentities(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('identity', anyText).execute();
  await kysely.sql`update backup set identity = json_extract(manifest, '$.identity')`.execute(db);
  await manifestLast(db);
}

/** What checks of repositories remember, a row per destination. */
async function checkStatuses({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('check_status')
    .addColumn('destination', text('check_status', 'destination'), (column) => column.primaryKey())
    .addColumn('status', anyText, (column) => column.notNull())
    .execute();
}

/** Where the scheduling of what destinations need stands. */
async function destinationStatuses({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('destination_status')
    .addColumn('destination', text('destination_status', 'destination'), (column) => column.primaryKey())
    .addColumn('timetable', anyText, (column) => column.notNull())
    .addColumn('scheduledThrough', 'bigint', (column) => column.notNull())
    .execute();
}

/** What a check found of a backup, which neither its manifest nor an import knows of. */
async function backupDamage(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('damage', anyText).execute();
  await manifestLast(db);
}

/** When a person agreed to what retention lets go of a history that an import brought in. */
async function seenBackups(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('backup').addColumn('seenAt', 'bigint').execute();
  await manifestLast(db);
}
