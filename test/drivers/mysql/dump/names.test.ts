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
