import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { type MariadbServer, startMariadb } from '../../servers/mariadb.ts';
import { TestRepository } from './repository.ts';
import { questions, zoo } from './zoo.ts';

const serverArgs = ['--log-bin', '--server-id=5', '--local-infile=1', '--max-allowed-packet=64M'];

/** The zoo has a value that is in no list of its ENUM, and an event. */
const loadWarnings = [
  "zoo.texts: Data truncated for column 'k' at row 7",
  'event zoo.tick: Event scheduler is switched off, use SET GLOBAL event_scheduler=ON to enable it.',
];

test('what was backed up comes back equal', async (t) => {
  const [source, target] = await Promise.all([
    startMariadb(t, { args: serverArgs }),
    startMariadb(t, { args: serverArgs }),
  ]);
  await makeZoo(source);
  const repository = await TestRepository.make(t);
  const { id, result } = await repository.backup(source);
  const before = await answers(source);

  await t.test('says what it left out', () => {
    assert.deepEqual(result.facts.warnings, ['not transactional, so not part of the consistent state: zoo.isam']);
    const [server] = result.facts.contents;
    assert.match(JSON.stringify(server), /accounts, roles and grants/);
    assert.match(String(result.facts.consistentPoint.binlogFile), /\.\d{6}$/);
    assert.match(String(result.facts.consistentPoint.gtid), /^0-5-\d+$/);
  });

  await t.test('loaded by tidemark, compared byte for byte', async () => {
    const { warnings } = await repository.restore(id, target);
    assert.deepEqual(await answers(target), before);
    assert.deepEqual(warnings, loadWarnings);
    await checksSame(source, target);
  });

  await t.test('refuses a server that holds one of the tables', async () => {
    await assert.rejects(repository.restore(id, target, { only: ['zoo.no_key'] }), { code: 'TARGET_NOT_EMPTY' });
  });

  await t.test('replaces one table, and nothing else', async () => {
    await target.query('DELETE FROM zoo.texts; UPDATE zoo.numbers SET a = 99 WHERE id = 1');
    await repository.restore(id, target, { only: ['zoo.texts'], overwrite: true });
    assert.deepEqual(await target.query('SELECT a FROM zoo.numbers WHERE id = 1'), [{ a: 99 }]);
    await repository.restore(id, target, { overwrite: true });
    assert.deepEqual(await answers(target), before);
  });

  await t.test('loaded by INSERT where the server forbids LOAD DATA LOCAL', async () => {
    await target.query('SET GLOBAL local_infile = 0');
    const { warnings } = await repository.restore(id, target, { overwrite: true });
    assert.deepEqual([await answers(target), warnings], [before, loadWarnings]);
    await target.query('SET GLOBAL local_infile = 1');
  });

  await t.test('loaded by the stock client', async () => {
    await target.query('DROP DATABASE zoo; DROP DATABASE `o``dd/ name.ü`');
    const folder = await tempFolder(t);
    await repository.download(id, folder);
    await runStockClient(target, folder);
    assert.deepEqual(await answers(target), before);
    await checksSame(source, target);
  });

  await t.test('a second backup of the same data stores nothing of it again', async () => {
    const second = await repository.backup(source);
    assert.ok(second.addedBytes < 100_000, `${second.addedBytes} bytes`);
  });
});

async function makeZoo(server: MariadbServer): Promise<void> {
  const connection = await server.connect({ charset: 'utf8mb4' });
  for (const statement of zoo) {
    await connection.query(statement).catch((cause) => {
      throw new Error(`${statement}: ${cause.message}`, { cause });
    });
  }
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const large = Buffer.concat(Array.from({ length: 80_000 }, () => bytes));
  await connection.query('INSERT INTO zoo.big VALUES (1, ?), (2, ?)', [bytes, '']);
  await connection.query('INSERT INTO zoo.big VALUES (3, ?)', [large]);
  await connection.end();
}

async function answers(server: MariadbServer): Promise<unknown[]> {
  const connection = await server.connect({ charset: 'utf8mb4', dateStrings: true, supportBigNumbers: true });
  const all: unknown[] = [];
  for (const question of questions) {
    const [rows] = await connection.query(question);
    all.push([question, rows]);
  }
  await connection.end();
  return all;
}

async function checksSame(a: MariadbServer, b: MariadbServer): Promise<void> {
  const list =
    "SELECT CONCAT('`', REPLACE(table_schema, '`', '``'), '`.`', REPLACE(table_name, '`', '``'), '`') AS name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";
  const names = (await a.query(list)).map((row) => row.name);
  assert.ok(names.length >= 18);
  for (const name of names) {
    for (const sql of [`CHECKSUM TABLE ${name}`, `SHOW CREATE TABLE ${name}`, `SELECT COUNT(*) FROM ${name}`]) {
      assert.deepEqual(await b.query(sql), await a.query(sql), name);
    }
  }
}

async function runStockClient(server: MariadbServer, folder: string): Promise<void> {
  const script = `cd ${folder} && exec mariadb --no-defaults --user=root --socket=${server.socket} --local-infile=1 < load.sql`;
  await runOk('sh', ['-c', script]);
}
