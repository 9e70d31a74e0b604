import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupResult } from '../../../../core/driver/index.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';
import { repeat } from './repeat.ts';

const args = ['--log-bin', '--server-id=5', '--local-infile=1'];

/**
 * What moves in each database, without pause, and how many rows its tables have whatever they are called, at one moment
 * `or` at others.
 */
const movers: Record<string, { make: string; move: string[]; rows: number[]; or?: number[][] }> = {
  renamed: {
    make: 'CREATE TABLE d (id INT PRIMARY KEY, v INT); INSERT INTO d SELECT seq, 1 FROM seq_1_to_20000',
    move: ['RENAME TABLE d TO d2', 'RENAME TABLE d2 TO d'],
    rows: [20_000],
  },
  swapped: {
    make: `CREATE TABLE d (id INT PRIMARY KEY, v INT); INSERT INTO d SELECT seq, 1 FROM seq_1_to_20000;
      CREATE TABLE new LIKE d; INSERT INTO new SELECT seq, 2 FROM seq_1_to_15000`,
    move: ['RENAME TABLE d TO old, new TO d', 'RENAME TABLE d TO new, old TO d'],
    rows: [20_000, 15_000],
  },
  exchanged: {
    make: `CREATE TABLE p (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (50000), PARTITION z VALUES LESS THAN MAXVALUE);
      INSERT INTO p SELECT seq, 1 FROM seq_1_to_20000; CREATE TABLE x (id INT PRIMARY KEY, v INT); INSERT INTO x SELECT seq, 2 FROM seq_1_to_15000`,
    move: ['ALTER TABLE p EXCHANGE PARTITION a WITH TABLE x'],
    rows: [20_000, 15_000],
  },
  remade: {
    make: 'CREATE TABLE d (id INT PRIMARY KEY, v INT); INSERT INTO d SELECT seq, 1 FROM seq_1_to_500; CREATE TABLE rest LIKE d; INSERT INTO rest SELECT seq, 1 FROM seq_1_to_7',
    move: [
      'DROP TABLE d',
      'CREATE TABLE d (id INT PRIMARY KEY, v INT) AS SELECT seq AS id, 1 AS v FROM mysql.seq_1_to_500',
    ],
    rows: [500, 7],
    or: [[7]],
  },
  changed: {
    make: 'CREATE TABLE d (id INT PRIMARY KEY, v INT); INSERT INTO d SELECT seq, 1 FROM seq_1_to_5000',
    move: [
      'CREATE TABLE _d_new LIKE d',
      'CREATE TRIGGER ins AFTER INSERT ON d FOR EACH ROW REPLACE INTO _d_new VALUES (NEW.id, NEW.v)',
      'CREATE TRIGGER del AFTER DELETE ON d FOR EACH ROW DELETE FROM _d_new WHERE id = OLD.id',
      'INSERT IGNORE INTO _d_new SELECT * FROM d LOCK IN SHARE MODE',
      'RENAME TABLE d TO _d_old, _d_new TO d',
      'DROP TABLE _d_old',
    ],
    rows: [5000],
    or: [
      [5000, 5000],
      [5000, 5000, 5000],
    ],
  },
  isam: {
    make: 'CREATE TABLE d (id INT PRIMARY KEY, v INT) ENGINE=MyISAM; INSERT INTO d SELECT seq, 1 FROM seq_1_to_3000',
    move: ['RENAME TABLE d TO d2', 'RENAME TABLE d2 TO d'],
    rows: [3000],
    or: [[3000, 3000]], // it has no number, so it is not known to be one table
  },
};

test('a table that is renamed, swapped, exchanged or made anew all the time is whole or named', async (t) => {
  const server = await startMariadb(t, { args });
  for (const [name, { make }] of Object.entries(movers))
    await server.query(`CREATE DATABASE ${name}`).then(() => fill(server, name, make));
  await server.query(`CREATE DATABASE beside; USE beside; CREATE SEQUENCE s; CREATE VIEW v AS SELECT 1`);
  const repository = await TestRepository.make(t);
  await using moving = new AsyncDisposableStack();
  for (const [name, { move }] of Object.entries(movers)) moving.use(repeat(server, name, move, 4));
  moving.use(repeat(server, 'beside', ['RENAME TABLE v TO v2, s TO s2', 'RENAME TABLE v2 TO v, s2 TO s'], 4));

  for (let round = 0; round < 4; round++) {
    const { result } = await repository.backup(server);
    for (const name of Object.keys(movers)) assertWhole(result, name);
    for (const kind of ['view', 'sequence']) {
      const found = result.facts.contents.some((one) => one.kind === kind && one.database === 'beside');
      assert.ok(found || result.facts.warnings.some((one) => isOf(one, kind, 'beside')), kind);
    }
  }
});

test('each kind of move, alone', async (t) => {
  const server = await startMariadb(t, { args });
  const repository = await TestRepository.make(t);
  for (const [name, { make, move }] of Object.entries(movers)) {
    await server.query(`CREATE DATABASE ${name}`);
    await fill(server, name, make);
    await using _ = repeat(server, name, move, 0);
    for (let round = 0; round < 2; round++) {
      const { result } = await repository.backup(server, { include: [name] });
      assertWhole(result, name);
      t.diagnostic(`${name}: ${result.facts.partial ? result.facts.warnings.join('; ') : 'good'}`);
    }
  }
});

/** Every table with all its rows once; or the backup is partial and names one that is not in it. */
function assertWhole({ facts }: BackupResult, database: string): void {
  const { rows, or } = movers[database]!;
  const tables = facts.contents.filter((one) => one.kind === 'table' && one.database === database && one.rows !== 0);
  const found = tables.map((one) => Number(one.rows)).toSorted((a, b) => b - a);
  const isNamed = facts.partial && facts.warnings.some((one) => isOf(one, 'table', database));
  const text = JSON.stringify({
    tables: tables.map((one) => [one.name, one.rows, one.later]),
    warnings: facts.warnings,
  });
  const expected = or?.find((one) => one.length === found.length) ?? rows;
  if (!isNamed) assert.deepEqual(found, expected, `${database}: ${text}`);
  assert.ok(
    found.every((one) => rows.includes(one)),
    `${database}: ${text}`,
  );
}

/** What never stood still has a name, and nobody knows of what. */
function isOf(warning: string, kind: string, database: string): boolean {
  return [kind, 'table, view or sequence'].some((one) => warning.startsWith(`not in this backup: ${one} ${database}.`));
}

async function fill(server: MariadbServer, database: string, sql: string): Promise<void> {
  await server.query(sql, database);
}
