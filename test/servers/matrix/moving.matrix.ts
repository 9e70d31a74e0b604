import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupResult } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import { repeat } from '../../drivers/mysql/dump/repeat.ts';
import { TestRepository } from '../../drivers/mysql/repository.ts';
import { type MatrixServer, mariadb118, mysql56, mysql97, type ServerKind, startServer } from './server.ts';

/** What is moved in a database without pause, and how many rows its tables have whatever they are called. */
const movers: Record<string, { make: string; move: string[]; rows: number[] }> = {
  renamed: {
    make: 'CREATE TABLE d AS SELECT * FROM numbers.n WHERE id <= 8000',
    move: ['RENAME TABLE d TO d2', 'RENAME TABLE d2 TO d'],
    rows: [8000],
  },
  swapped: {
    make: 'CREATE TABLE d AS SELECT * FROM numbers.n WHERE id <= 8000; CREATE TABLE new AS SELECT * FROM numbers.n WHERE id <= 5000',
    move: ['RENAME TABLE d TO old, new TO d', 'RENAME TABLE d TO new, old TO d'],
    rows: [8000, 5000],
  },
  exchanged: {
    make: `CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (50000), PARTITION z VALUES LESS THAN MAXVALUE);
      INSERT INTO p SELECT id FROM numbers.n WHERE id <= 8000; CREATE TABLE x (id INT PRIMARY KEY);
      INSERT INTO x SELECT id FROM numbers.n WHERE id <= 5000`,
    move: ['ALTER TABLE p EXCHANGE PARTITION a WITH TABLE x'],
    rows: [8000, 5000],
  },
};

for (const kind of [mysql97, mysql56, mariadb118]) {
  test(`${kind.name}: a table that is renamed, swapped or exchanged all the time is whole or named`, async (t) => {
    const server = await startServer(t, kind);
    await makeNumbers(server);
    const connection = await server.connect();
    for (const [name, { make }] of Object.entries(movers))
      await connection.query(`CREATE DATABASE ${name}; USE ${name}; ${make}`);
    await connection.end();
    const repository = await TestRepository.make(t);
    await using moving = new AsyncDisposableStack();
    for (const [name, { move }] of Object.entries(movers)) moving.use(repeat(server, name, move, 5));
    for (let round = 0; round < 6; round++) {
      const result = await backup(repository, server);
      if (result !== undefined) for (const name of Object.keys(movers)) assertWhole(kind, result, name);
      t.diagnostic(result?.facts.warnings.join('; ') ?? 'SOURCE_CHANGED');
    }
  });
}

/** Nothing when it ended as MySQL's may, where a wait for a table would be a deadlock: there is no backup, and it says so. */
async function backup(repository: TestRepository, server: MatrixServer): Promise<BackupResult | undefined> {
  try {
    return (await repository.backup(server, { exclude: ['numbers'] })).result;
  } catch (error) {
    if (hasCode(error, 'SOURCE_CHANGED')) return undefined;
    throw error;
  }
}

/** Every table with all its rows once; or the backup is partial and names one that is not in it. */
function assertWhole({ name: kind }: ServerKind, { facts }: BackupResult, database: string): void {
  const { rows } = movers[database]!;
  const tables = facts.contents.filter((one) => one.kind === 'table' && one.database === database && one.rows !== 0);
  const found = tables.map((one) => Number(one.rows)).toSorted((a, b) => b - a);
  const lost = `not in this backup: table ${database}.`;
  const isNamed = facts.partial && facts.warnings.some((one) => one.startsWith(lost));
  const text = `${kind}, ${database}: ${JSON.stringify(tables.map((one) => [one.name, one.rows, one.later]))}; ${facts.warnings.join('; ')}`;
  if (!isNamed) assert.deepEqual(found, rows, text);
  for (const one of found) assert(rows.includes(one), text);
}

/** A table of the numbers from 1 to 16384, as every server can make it. */
async function makeNumbers(server: MatrixServer): Promise<void> {
  const connection = await server.connect();
  await connection.query('CREATE DATABASE numbers; USE numbers; CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY)');
  await connection.query('INSERT INTO n VALUES (1)');
  for (let have = 1; have < 16_384; have *= 2) await connection.query(`INSERT INTO n SELECT id + ${have} FROM n`);
  await connection.end();
}
