import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { type ConsistentPoint, startConsistentSnapshots } from '../../../../drivers/mysql/dump/consistent-point.ts';
import { beginSnapshot } from '../../../../drivers/mysql/dump/own-snapshot.ts';
import type { Connection } from '../../../../drivers/mysql/protocol/connection.ts';
import { openSession, waitPatiently } from '../../../../drivers/mysql/protocol/session.ts';
import { readServer, type Server } from '../../../../drivers/mysql/server.ts';
import { waitFor } from '../../../kit/process.ts';
import { type MariadbServer, startMariadb, startReplica } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

const tables = ['a', 'b', 'c', 'd'];
const rounds = 40;
const connections = 6;
const primaryArgs = ['--log-bin', '--server-id=5'];
const replicaArgs = ['--log-bin', '--server-id=6', '--slave-parallel-threads=2'];

test('a replica that does not log what it applies: all see one moment, and say which', async (t) => {
  const primary = await startMariadb(t, { args: primaryArgs });
  const replica = await startReplica(t, primary, { args: replicaArgs });
  await makeCounters(primary);
  await whileCounting(primary, true, async () => {
    await waitFor('the replica', async () => (await countOf(replica)) > 100);
    const seen = await startOften(replica);
    // Each transaction counts by one, and so do the numbers of the log: this is where the data stands.
    const offsets = seen.map(({ count, point }) => Number(/^0-5-(\d+)$/.exec(point.replicatedGtid!)?.[1]) - count);
    assert.equal(new Set(offsets).size, 1, `${offsets}`);
    assert.ok(new Set(seen.map(({ count }) => count)).size > rounds / 2, 'the replica went on');
    const repository = await TestRepository.make(t);
    const { result } = await repository.backup(replica, { include: ['shop.*'] });
    assert.match(String(result.facts.consistentPoint.replicatedGtid), /^0-5-\d+$/);
  });
});

test('writers that are not logged are seen all the same', async (t) => {
  const server = await startMariadb(t, { args: primaryArgs });
  await makeCounters(server);
  await whileCounting(server, false, async () => {
    await waitFor('the writer', async () => (await countOf(server)) > 100);
    await startOften(server);
  });
});

test('where the position in the log proves nothing', async (t) => {
  const primary = await startMariadb(t, { args: primaryArgs });
  const [silent, logging, filtering] = await Promise.all([
    startReplica(t, primary, { args: replicaArgs }),
    startReplica(t, primary, { args: [...replicaArgs, '--log-slave-updates', '--server-id=7'] }),
    startMariadb(t, { args: [...primaryArgs, '--binlog-ignore-db=shop'] }),
  ]);
  const proves = async (server: MariadbServer, login = {}) => !(await look(server, login)).positionIsPartial;
  assert.equal(await proves(primary), true);
  assert.equal(await proves(silent), false, 'a replica');
  await silent.query('STOP SLAVE');
  assert.equal(await proves(silent), false, 'a replica that may start again');
  assert.equal(await proves(logging), true);
  assert.equal(await proves(filtering), false, 'a filter');
  await primary.query('CREATE USER poor@localhost; GRANT SELECT, BINLOG MONITOR ON *.* TO poor@localhost');
  assert.equal(await proves(primary, { user: 'poor', password: '' }), false, 'an account that may not know');
});

test('the brief lock leaves the session as it was', async (t) => {
  const server = await startMariadb(t);
  await server.query('SET GLOBAL lock_wait_timeout = 1');
  await using control = await openSession(addressOf(server));
  await control.execute(waitPatiently);
  const before = await control.row('SELECT @@lock_wait_timeout');
  await startConsistentSnapshots({ ...workOf(control, await readServer(control)), startAll: async () => [] });
  assert.deepEqual(await control.row('SELECT @@lock_wait_timeout'), before);
});

function addressOf({ socket, user, password }: MariadbServer) {
  return { subject: 'sources.shop', socketPath: socket, user, password };
}

async function look(server: MariadbServer, login: { user?: string; password?: string }): Promise<Server> {
  await using connection = await openSession({ ...addressOf(server), ...login });
  return await readServer(connection);
}

async function makeCounters(server: MariadbServer): Promise<void> {
  const updates = tables.map((name) => `UPDATE ${name} SET n = n + 1`).join('; ');
  await server.query('CREATE DATABASE shop');
  for (const name of tables) {
    await server.query(
      `CREATE TABLE ${name} (id INT PRIMARY KEY, n INT) ENGINE=InnoDB; INSERT INTO ${name} VALUES (1, 0)`,
      'shop',
    );
  }
  await server.query(
    `CREATE PROCEDURE count_on() BEGIN WHILE TRUE DO START TRANSACTION; ${updates}; COMMIT; END WHILE; END`,
    'shop',
  );
}

/** The server counts in all tables at once, one transaction after the other, without pause. */
async function whileCounting(server: MariadbServer, logged: boolean, work: () => Promise<void>): Promise<void> {
  const connection = await server.connect({ database: 'shop' });
  if (!logged) await connection.query('SET sql_log_bin = 0');
  const counting = connection.query('CALL count_on()').catch(() => {});
  try {
    await work();
  } finally {
    await server.query(`KILL ${connection.threadId}`);
    await counting;
  }
}

async function countOf(server: MariadbServer): Promise<number> {
  return (await server.query('SELECT n FROM shop.a'))[0]?.n ?? 0;
}

/** Starts snapshots as a backup does, again and again. The count that they show must be the same in all of them. */
async function startOften(server: MariadbServer): Promise<{ count: number; point: ConsistentPoint }[]> {
  await using stack = new AsyncDisposableStack();
  const open = async () => stack.use(await openSession(addressOf(server)));
  const control = await open();
  const readers = await Promise.all(Array.from({ length: connections }, open));
  const described = await readServer(control);
  const startAll = () => Promise.all(readers.map((one) => beginSnapshot(one, described.mayReplicate)));
  const seen: { count: number; point: ConsistentPoint }[] = [];
  for (let round = 0; round < rounds; round++) {
    const point = await startConsistentSnapshots({ ...workOf(control, described), startAll });
    const rows = await Promise.all(readers.map((one) => one.row('SELECT n FROM shop.a')));
    const counts = rows.map((row) => Number(row!.n));
    assert.equal(new Set(counts).size, 1, `round ${round} mixes moments: ${counts}`);
    seen.push({ count: counts[0]!, point });
  }
  return seen;
}

function workOf(control: Connection, server: Server) {
  const { signal } = new AbortController();
  return { control, server, clock: systemClock, signal, subject: 'sources.shop', step: () => {} };
}
