import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeCondition, splitTable } from '../../../../drivers/mysql/dump/ranges.ts';
import { readInventory } from '../../../../drivers/mysql/inventory/inventory.ts';
import { parseSelection } from '../../../../drivers/mysql/inventory/selection.ts';
import type { Connection } from '../../../../drivers/mysql/protocol/connection.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

const keys: readonly [name: string, columns: string, values: string][] = [
  ['integers', 'k BIGINT PRIMARY KEY', 'CAST(seq AS SIGNED) * 3 - 9000'],
  ['largest', 'k BIGINT UNSIGNED PRIMARY KEY', '18446744073709551615 - seq'],
  ['skewed', 'k BIGINT PRIMARY KEY', 'IF(seq < 5000, seq, seq * 1000000000)'],
  ['pairs', 'k INT, l INT, PRIMARY KEY (k, l)', 'seq DIV 100, seq'],
  [
    'texts',
    'k VARCHAR(40) COLLATE utf8mb4_unicode_ci PRIMARY KEY',
    "CONCAT(IF(seq % 3, 'É', 'z'), CHAR(65 + seq % 26), seq, '''\\\\')",
  ],
  ['latin', 'k VARCHAR(40) CHARACTER SET latin1, l INT, PRIMARY KEY (k, l)', "CONCAT('ü', seq % 7), seq"],
  ['bytes', 'k BINARY(16) PRIMARY KEY', 'UNHEX(MD5(seq))'],
  [
    'times',
    'k TIMESTAMP(3), l DECIMAL(20,5), PRIMARY KEY (k, l)',
    "'2024-03-31 00:00:00' + INTERVAL seq DIV 10 SECOND, seq / 7",
  ],
  ['dates', 'k DATETIME PRIMARY KEY', "'2024-01-01' + INTERVAL seq MINUTE"],
  ['floats', 'k DOUBLE PRIMARY KEY', 'seq / 7'],
  ['enums', "k ENUM('b','a'), l INT, PRIMARY KEY (k, l)", '1 + seq % 2, seq'],
];
const rows = 9000;

test('the ranges of a table hold each of its rows once, whatever its key is', async (t) => {
  const server = await startMariadb(t);
  const connection = await server.connect({ database: 'mysql', charset: 'utf8mb4' });
  await connection.query('CREATE DATABASE shop; USE shop');
  for (const [name, columns, values] of keys) {
    await connection.query(`CREATE TABLE ${name} (${columns}, pad CHAR(100) DEFAULT 'x')`);
    const list = columns.includes(' l ') ? 'k, l' : 'k';
    await connection.query(
      `INSERT INTO ${name} (${list}) SELECT ${values} FROM seq_1_to_${rows}; ANALYZE TABLE ${name}`,
    );
  }
  await connection.end();
  const { socket: socketPath, user, password } = server;
  await using session = await openSession({ subject: 'sources.shop', socketPath, user, password });
  const { databases } = await readInventory(session, parseSelection(['shop.*'], []));
  for (const table of databases[0]!.tables) {
    const ranges = await splitTable(session, table, 200_000);
    const counts: number[] = [];
    for (const range of ranges) {
      const condition = rangeCondition(
        table.key.map((one) => one.name),
        range,
      );
      counts.push(await countRows(session, `shop.${table.name}`, condition));
    }
    assert.equal(
      counts.reduce((sum, one) => sum + one, 0),
      rows,
      `${table.name}: ${JSON.stringify(ranges)}`,
    );
    const isSplit = table.name !== 'floats' && table.name !== 'enums';
    assert.equal(ranges.length > 2, isSplit, `${table.name}: ${counts}`);
    assert.ok(Math.max(...counts) <= (isSplit ? rows / 2 : rows), `${table.name}: ${counts}`);
  }
});

test('a system-versioned table keeps its current rows, and the loss of its history is said', async (t) => {
  const server = await startMariadb(t, { args: ['--local-infile=1'] });
  await server.query(`CREATE DATABASE shop; USE shop;
    CREATE TABLE plain (id INT PRIMARY KEY, n INT) WITH SYSTEM VERSIONING;
    CREATE TABLE named (id INT PRIMARY KEY, n INT, a TIMESTAMP(6) GENERATED ALWAYS AS ROW START, b TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
      PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING;
    INSERT INTO plain VALUES (1, 1), (2, 2); UPDATE plain SET n = 5; INSERT INTO named (id, n) VALUES (1, 7); UPDATE named SET n = 8`);
  const repository = await TestRepository.make(t);
  const { id, result } = await repository.backup(server, { include: ['shop.*'] });
  assert.deepEqual(result.facts.warnings, [
    'system-versioned, only the current rows are carried: shop.named, shop.plain',
  ]);
  await server.query('DROP DATABASE shop');
  await repository.restore(id, server);
  assert.deepEqual(await server.query('SELECT id, n FROM shop.plain'), [
    { id: 1, n: 5 },
    { id: 2, n: 5 },
  ]);
  assert.deepEqual(await server.query('SELECT id, n FROM shop.named'), [{ id: 1, n: 8 }]);
});

async function countRows(session: Connection, table: string, condition: string | undefined): Promise<number> {
  const row = await session.row(
    `SELECT COUNT(*) AS n FROM ${table}${condition === undefined ? '' : ` WHERE ${condition}`}`,
  );
  return Number(row!.n);
}
