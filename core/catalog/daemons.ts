import type { Kysely } from 'kysely';
import type { DaemonRecord, Daemons } from './catalog.ts';
import { fromJson, jsonColumn, timeColumn, toTime } from './columns.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { DaemonRow, Tables } from './tables.ts';

export function openDaemons({ db, clock }: PartContext): Daemons {
  return {
    beat: (daemon) => beat(db, daemon),
    alive: async () => {
      const rows = await db.selectFrom('daemon').selectAll().where('until', '>', clock.now().getTime()).execute();
      return rows.map(toDaemon);
    },
    leave: async (owner) => {
      await db.deleteFrom('daemon').where('owner', '=', owner).execute();
    },
  };
}

/** Daemons that died without leaving go when the next one beats. */
async function beat(db: Kysely<Tables>, daemon: DaemonRecord): Promise<void> {
  const dayMs = 86_400_000;
  await db
    .deleteFrom('daemon')
    .where('until', '<', daemon.until.getTime() - dayMs)
    .execute();
  await db
    .replaceInto('daemon')
    .values(fitting('daemon', toRow(daemon)))
    .execute();
}

function toRow(daemon: DaemonRecord): DaemonRow {
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

function toDaemon(row: DaemonRow): DaemonRecord {
  const configuration = fromJson<DaemonRecord['configuration']>(row.configuration);
  return {
    ...row,
    startedAt: toTime(row.startedAt),
    until: toTime(row.until),
    configuration: { ...configuration, at: new Date(configuration.at) },
  };
}
