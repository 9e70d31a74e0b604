import { unlessAborted } from '../../../core/abort.ts';
import type { Clock } from '../../../core/clock.ts';
import { TidemarkError } from '../../../core/error.ts';
import { type Connection, quoteText } from '../protocol/connection.ts';
import { isAtLeast, type Server } from '../server.ts';
import { endedWhenSilentSeconds, type Lock, underLock } from './brief-lock.ts';

/** The moment that a backup shows. */
export interface ConsistentPoint {
  /** The server's clock, UTC, ISO 8601. */
  readonly time: string;
  readonly binlogFile?: string;
  readonly binlogPosition?: number;
  readonly gtid?: string;
  /** On a MariaDB replica: up to where the log of its primary was applied, as a value of `gtid_slave_pos`. */
  readonly replicatedGtid?: string;
  readonly [key: string]: unknown;
}

export interface SnapshotWork {
  readonly control: Connection;
  readonly server: Server;
  /** Begins the snapshot transaction of every data connection anew and gives each one's place. */
  startAll(): Promise<readonly SnapshotPlace[]>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly subject: string;
  step(text: string): void;
}

export interface BinlogPosition {
  readonly file: string;
  readonly position: number;
}

/** What a snapshot knows of its own moment. */
export interface SnapshotPlace extends BinlogPosition {
  readonly replicatedGtid?: string;
}

/**
 * Makes all data connections see one and the same state. On MariaDB a snapshot knows its binlog position, so they are
 * started until all agree, which holds no lock at all. Elsewhere, where not every commit moves the position, or when
 * writers are too busy for that, commits are blocked for the moment in which the snapshots start.
 */
export async function startConsistentSnapshots(work: SnapshotWork): Promise<ConsistentPoint> {
  const { server } = work;
  if (server.flavour === 'mariadb' && server.logsBinary && !server.positionIsPartial) {
    for (let round = 0; round < lockFreeRounds; round++) {
      const place = await startTogether(work);
      if (place !== undefined) return describePoint(work, place, place.replicatedGtid);
    }
  }
  return startUnderLock(work);
}

/**
 * The place of all snapshots, or undefined when they may differ: something was logged between them, or InnoDB gave out a
 * transaction number, as it does for commits that are not logged too (`sql_log_bin = 0`).
 */
async function startTogether(work: SnapshotWork): Promise<SnapshotPlace | undefined> {
  const before = await transactionCounter(work.control);
  const [first, ...others] = await work.startAll();
  if (first === undefined || first.file === '' || !others.every((one) => samePosition(one, first))) return undefined;
  return (await transactionCounter(work.control)) === before ? first : undefined;
}

/** Undefined on servers before MariaDB 10.5, which do not tell. */
async function transactionCounter(control: Connection): Promise<string | undefined> {
  return (await control.row("SHOW GLOBAL STATUS LIKE 'Innodb_max_trx_id'"))?.Value ?? undefined;
}

const lockFreeRounds = 10;

function samePosition(a: BinlogPosition, b: BinlogPosition): boolean {
  return a.file === b.file && a.position === b.position;
}

/** Asks for the lock only for moments at a time and backs off: whoever waits for it makes all writers wait too. */
async function startUnderLock(work: SnapshotWork): Promise<ConsistentPoint> {
  const lock = lockOf(work.server);
  for (let round = 0; round < lockRounds; round++) {
    if (round > 0) await work.clock.sleep(Math.min(1000 * 2 ** (round - 1), maxBackOffMs), work.signal);
    if (!lock.ignoresQueries && (await countLongQueries(work.control)) > 0) {
      work.step('waiting for long-running queries to end before taking a brief lock');
      continue;
    }
    const point = await tryUnderLock(work, lock);
    if (point !== undefined) return point;
    work.step('the brief lock was not free; waiting before asking again');
  }
  throw new TidemarkError('SOURCE_FAILED', 'no moment was found to start the snapshot: statements hold their locks', {
    subject: work.subject,
    hint: 'Look for queries or schema changes that run for minutes, and schedule the backup at another time.',
  });
}

const lockRounds = 10;
const maxBackOffMs = 60_000;
const longQuerySeconds = 5;

interface CommitLock extends Lock {
  /** It blocks commits only and does not wait for queries to end. */
  readonly ignoresQueries: boolean;
}

function lockOf(server: Server): CommitLock {
  return isAtLeast(server, { mariadb: 1004 })
    ? { take: ['BACKUP STAGE START', 'BACKUP STAGE BLOCK_COMMIT'], release: 'BACKUP STAGE END', ignoresQueries: true }
    : { take: ['FLUSH TABLES WITH READ LOCK'], release: 'UNLOCK TABLES', ignoresQueries: false };
}

/** Undefined when the lock was not free. */
async function tryUnderLock(work: SnapshotWork, lock: Lock): Promise<ConsistentPoint | undefined> {
  return await underLock(work.control, lock, [], async (isHeld) => {
    if (!isHeld) return undefined;
    const [first] = await unlessAborted(work.startAll(), AbortSignal.timeout(startTimeoutMs));
    const at = first?.file ? first : await currentPosition(work);
    return await describePoint(work, at, first?.replicatedGtid);
  });
}

/** Shorter than the time after which the server ends the session that holds the lock. */
const startTimeoutMs = (endedWhenSilentSeconds * 1000) / 2;

async function countLongQueries(control: Connection): Promise<number> {
  const row = await control.row(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE command = 'Query' AND id <> CONNECTION_ID() " +
      `AND time >= ${longQuerySeconds}`,
  );
  return Number(row?.n ?? 0);
}

/** Where the log stands now; meaningful only while commits are blocked. */
async function currentPosition({ control, server }: SnapshotWork): Promise<BinlogPosition | undefined> {
  if (!server.logsBinary) return undefined;
  const isNew = isAtLeast(server, { mysql: 804 });
  const status = await control.row(isNew ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS');
  return status?.File == null ? undefined : { file: status.File, position: Number(status.Position) };
}

async function describePoint(
  work: SnapshotWork,
  at: BinlogPosition | undefined,
  replicatedGtid: string | undefined,
): Promise<ConsistentPoint> {
  const time = await serverTime(work.control);
  const replicated = replicatedGtid === undefined ? {} : { replicatedGtid };
  if (at === undefined) return { time, ...replicated };
  return { time, binlogFile: at.file, binlogPosition: at.position, gtid: await gtidAt(work, at), ...replicated };
}

/** The server's clock, UTC, ISO 8601. */
export async function serverTime(control: Connection): Promise<string> {
  const row = await control.row("SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ') AS now");
  return row!.now!;
}

async function gtidAt(
  { control, server }: SnapshotWork,
  { file, position }: BinlogPosition,
): Promise<string | undefined> {
  const sql =
    server.flavour === 'mariadb'
      ? `SELECT BINLOG_GTID_POS(${quoteText(file)}, ${position}) AS gtid`
      : 'SELECT @@GLOBAL.gtid_executed AS gtid';
  const gtid = (await control.row(sql))?.gtid;
  return gtid?.replaceAll('\n', '') || undefined;
}
