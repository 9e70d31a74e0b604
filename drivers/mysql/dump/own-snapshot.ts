import type { Connection } from '../protocol/connection.ts';
import { isServerError } from '../protocol/server-error.ts';
import type { SnapshotPlace } from './consistent-point.ts';
import { savepoint } from './table-read.ts';

/** Begins the snapshot transaction of one connection anew, and says where in the log it stands. */
export async function beginSnapshot(connection: Connection, isReplica: boolean): Promise<SnapshotPlace> {
  await connection.execute('ROLLBACK');
  await connection.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  const rows = await connection.rows("SHOW SESSION STATUS LIKE 'binlog_snapshot_%'");
  const value = (name: string) => rows.find((row) => row.Variable_name?.toLowerCase() === name)?.Value ?? '';
  await connection.execute(`SAVEPOINT ${savepoint}`);
  return {
    file: value('binlog_snapshot_file'),
    position: Number(value('binlog_snapshot_position')),
    replicatedGtid: isReplica ? await readReplicatedGtid(connection) : undefined,
  };
}

/** Of the snapshot itself: `gtid_slave_pos` moves on, and a moment after the commit. Undefined where it may not be read. */
async function readReplicatedGtid(connection: Connection): Promise<string | undefined> {
  const newest = 'SELECT MAX(sub_id) FROM mysql.gtid_slave_pos b WHERE b.domain_id = a.domain_id';
  const gtid = "CONCAT_WS('-', domain_id, server_id, seq_no)";
  const sql = `SELECT ${gtid} AS gtid FROM mysql.gtid_slave_pos a WHERE sub_id = (${newest}) ORDER BY domain_id`;
  try {
    const rows = await connection.rows(sql);
    await connection.execute(`ROLLBACK TO SAVEPOINT ${savepoint}`);
    return rows.map((row) => row.gtid).join(',') || undefined;
  } catch (error) {
    if (isServerError(error)) return undefined;
    throw error;
  }
}
