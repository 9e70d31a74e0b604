import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('a database that is called as one of the server but for its case is in the backup', async (t) => {
  const server = await startMariadb(t);
  const make = (database: string, engine: string) =>
    server.query(`CREATE DATABASE ${database}; USE ${database}; CREATE TABLE t (i INT PRIMARY KEY) ENGINE=${engine};
      INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT 1; CREATE PROCEDURE p() DO 1`);
  await make('SYS', 'Aria');
  await make('Mysql', 'InnoDB');
  const repository = await TestRepository.make(t);
  const { result } = await repository.backup(server);
  const found = result.facts.contents.map((one) => `${one.kind} ${one.database}.${one.name}`);
  const expected = ['SYS', 'Mysql'].flatMap((one) =>
    ['table', 'view', 'procedure'].map((kind) => `${kind} ${one}.${kind[0] === 't' ? 't' : kind[0]}`),
  );
  for (const one of expected) assert.ok(found.includes(one), `${one} in ${found}`);
  assert.ok(!found.some((one) => / (sys|mysql)\./.test(one)));
  assert.equal(result.facts.partial, false, result.facts.warnings.join('; '));
});

test('databases and tables whose names differ by case alone are told apart', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE ZOO; CREATE DATABASE zoo; USE zoo; CREATE TABLE T (i INT PRIMARY KEY);
    CREATE TABLE t (j INT); INSERT INTO t VALUES (1); CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.j = 2;
    CREATE VIEW v AS SELECT 1 a; CREATE VIEW V AS SELECT 2 b; CREATE FUNCTION fn() RETURNS INT RETURN 1;
    CREATE PROCEDURE p() DO 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DO 1`);
  const repository = await TestRepository.make(t);
  const { result } = await repository.backup(server);
  const found = result.facts.contents
    .filter((one) => 'name' in one)
    .map((one) => `${one.kind} ${one.database}.${one.name}`);
  const expected = [
    'table zoo.T',
    'table zoo.t',
    'view zoo.V',
    'view zoo.v',
    'function zoo.fn',
    'procedure zoo.p',
    'event zoo.e',
  ];
  assert.deepEqual(found.toSorted(), expected.toSorted());
  const withTriggers = result.facts.contents.filter((one) => one.hasTriggers === true).map((one) => one.name);
  assert.deepEqual(withTriggers, ['t']);
  assert.equal(result.facts.partial, false, result.facts.warnings.join('; '));
});

test('a table or database that is called as a device of Windows is known by its numbers', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE con; USE con; CREATE TABLE aux (i INT); CREATE TABLE Nul (i INT); CREATE TABLE \`clock$\` (i INT);
    CREATE TABLE lpt1 (i INT) PARTITION BY HASH (i) PARTITIONS 2; CREATE TABLE plain (i INT)`);
  const repository = await TestRepository.make(t);
  const { result } = await repository.backup(server);
  const names = result.facts.contents.filter((one) => one.kind === 'table').map((one) => String(one.name));
  assert.deepEqual(names.toSorted(), ['Nul', 'aux', 'clock$', 'lpt1', 'plain']);
  assert.equal(result.facts.partial, false, result.facts.warnings.join('; '));
});
