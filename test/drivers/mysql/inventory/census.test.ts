import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Census, dictionaryOf, takeCensus } from '../../../../drivers/mysql/inventory/census.ts';
import { describe, type Inventory, readInventory } from '../../../../drivers/mysql/inventory/inventory.ts';
import { parseSelection } from '../../../../drivers/mysql/inventory/selection.ts';
import type { Connection } from '../../../../drivers/mysql/protocol/connection.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import { readServer } from '../../../../drivers/mysql/server.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';

const selection = parseSelection(['shop'], []);
const move = 'RENAME TABLE shop.d TO shop.d2, shop.m TO shop.m2';

test('a table of InnoDB that got its name after the look, or while it was taken, is not described as one without a number', async (t) => {
  const server = await startMariadb(t);
  const { socket: socketPath, user, password } = server;
  await using session = await openSession({ subject: 'sources.shop', socketPath, user, password });
  const dictionary = dictionaryOf(await readServer(session));

  await make(server);
  const before = await takeCensus(session, selection, dictionary);
  await server.query(move);
  const inventory = await readInventory(session, selection, before);
  assert.deepEqual(tablesOf(inventory), ['m2', 'rest'], 'renamed after the look');
  assert.deepEqual(inventory.undescribed.map((one) => one.name).sort(), ['d', 'm']);

  await make(server);
  const during = await takeCensus(
    beforeListing(session, () => server.query(move)),
    selection,
    dictionary,
  );
  assert.deepEqual([during.moving, namesOf(during)], [true, ['d2', 'm2', 'rest']], 'renamed while it was taken');
  assert.deepEqual(tablesOf(await readInventory(session, selection, during)), ['m2', 'rest']);
  assert.deepEqual(tablesOf(await describe(session, selection, during)), ['m2', 'rest']);

  const after = await takeCensus(session, selection, dictionary);
  assert.deepEqual(tablesOf(await readInventory(session, selection, after)), ['d2', 'm2', 'rest']);
  const names = await takeCensus(session, selection, undefined);
  assert.deepEqual(tablesOf(await readInventory(session, selection, names)), ['d2', 'm2', 'rest'], 'no dictionary');
});

test('a partition that is exchanged while the dictionary is listed is seen to move', async (t) => {
  const server = await startMariadb(t);
  const { socket: socketPath, user, password } = server;
  await using session = await openSession({ subject: 'sources.shop', socketPath, user, password });
  const dictionary = dictionaryOf(await readServer(session));
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE x (i INT PRIMARY KEY);
    CREATE TABLE p (i INT PRIMARY KEY) PARTITION BY RANGE (i) (PARTITION a VALUES LESS THAN MAXVALUE)`);
  const exchange = () => server.query('ALTER TABLE shop.p EXCHANGE PARTITION a WITH TABLE shop.x');
  const torn = await takeCensus(halfway(session, "'shop/q'", exchange), selection, dictionary);
  assert.deepEqual([namesOf(torn), torn.moving], [['p', 'x'], true]);
  assert.equal((await takeCensus(session, selection, dictionary)).moving, false);
});

async function make(server: MariadbServer): Promise<void> {
  await server.query(`DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; USE shop; CREATE TABLE d (i INT PRIMARY KEY);
    CREATE TABLE rest (i INT PRIMARY KEY); CREATE TABLE m (i INT) ENGINE=MyISAM`);
}

/** The session, with `work` done between the question for the dictionary and the next one. */
function beforeListing(session: Connection, work: () => Promise<unknown>): Connection {
  let asked = 0;
  const rows: Connection['rows'] = async (statement) => {
    if (++asked === 2) await work();
    return await session.rows(statement);
  };
  return new Proxy(session, { get: (target, key) => (key === 'rows' ? rows : Reflect.get(target, key, target)) });
}

/** The session, with `work` done when the server has listed its dictionary, which is in the order of names, up to one. */
function halfway(session: Connection, name: string, work: () => Promise<unknown>): Connection {
  const rows: Connection['rows'] = async (statement) => {
    const [list, order] = statement.split(' ORDER BY ');
    if (order === undefined) return await session.rows(statement);
    const first = await session.rows(`${list} AND name < ${name}`);
    await work();
    return [...first, ...(await session.rows(`${list} AND name >= ${name}`))];
  };
  return new Proxy(session, { get: (target, key) => (key === 'rows' ? rows : Reflect.get(target, key, target)) });
}

function namesOf({ entries }: Census): string[] {
  return [...entries.values()].map((one) => one.name).sort();
}

function tablesOf({ databases }: Inventory): string[] {
  return databases.flatMap((one) => one.tables.map((table) => table.name)).sort();
}
