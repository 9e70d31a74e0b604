import type { Kysely } from 'kysely';
import { TidemarkError } from '../error.ts';
import type { DaemonRecord, Daemons } from './catalog.ts';
import { fromJson, jsonColumn, timeColumn, toTime } from './columns.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { DaemonRow, Tables } from './tables.ts';

/** One row for the one daemon of a catalog: whoever changes it from a state that nobody else changed has the place. */
export function openDaemons({ db, clock }: PartContext): Daemons {
  const now = () => clock.now().getTime();
  return {
    enter: (daemon) => enter(db, daemon, now),
    beat: (daemon) => beat(db, daemon),
    alive: async (fate) => {
      const rows = await alive(db, now());
      return rows.filter(({ owner }) => fate(owner) !== 'gone').map(toDaemon);
    },
    leave: async (owner) => {
      await db.updateTable('daemon').set({ until: 0 }).where('owner', '=', owner).execute();
    },
  };
}

async function enter(db: Kysely<Tables>, daemon: DaemonRecord, now: () => number): Promise<DaemonRecord | undefined> {
  for (;;) {
    const { numUpdatedRows } = await db
      .updateTable('daemon')
      .set(fitting('daemon', toRow(daemon)))
      .where('until', '<=', now())
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return undefined;
    const [rival] = await alive(db, now());
    if (rival !== undefined) return toDaemon(rival);
  }
}

async function beat(db: Kysely<Tables>, daemon: DaemonRecord): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('daemon')
    .set(fitting('daemon', toRow(daemon)))
    .where('owner', '=', daemon.owner)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  throw new TidemarkError(
    'DAEMON_RUNNING',
    'another daemon has taken the catalog while this one did not renew its place',
    {
      subject: 'daemon',
      hint: 'Look whether the machine stood still, or its clock was set; run only one daemon on a catalog.',
    },
  );
}

function alive(db: Kysely<Tables>, now: number): Promise<readonly DaemonRow[]> {
  return db.selectFrom('daemon').selectAll().where('until', '>', now).execute();
}

function toRow(daemon: DaemonRecord): Omit<DaemonRow, 'id'> {
  const { owner, pid, host, version } = daemon;
  return {
    owner,
    pid,
    host,
    version,
    startedAt: timeColumn(daemon.startedAt),
    until: timeColumn(daemon.until),
    configuration: jsonColumn(daemon.configuration),
  };
}

function toDaemon({ id: _, ...row }: DaemonRow): DaemonRecord {
  const configuration = fromJson<DaemonRecord['configuration']>(row.configuration);
  return {
    ...row,
    startedAt: toTime(row.startedAt),
    until: toTime(row.until),
    configuration: { ...configuration, at: new Date(configuration.at) },
  };
}
