import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('a table that somebody has locked keeps no backup waiting for a day: it is read later', async (t) => {
  const source = await startMariadb(t, { args: ['--log-bin', '--server-id=5'] });
  await source.query(`CREATE DATABASE shop; USE shop; CREATE TABLE a (i INT PRIMARY KEY); CREATE TABLE b LIKE a;
    INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2)`);
  const repository = await TestRepository.make(t);
  const other = await source.connect({ database: 'shop' });
  await other.query('LOCK TABLES b WRITE');
  let unlocking: Promise<unknown> | undefined;
  const step = (text: string) => {
    if (text.startsWith('reading again')) unlocking ??= other.query('UNLOCK TABLES');
  };
  const { facts } = (await repository.backup(source, { step })).result;
  await unlocking;
  await other.end();
  const tables = facts.contents.filter((one) => one.kind === 'table');
  assert.deepEqual(tables.map((one) => [one.name, one.rows]).sort(), [
    ['a', 1],
    ['b', 2],
  ]);
  assert.equal(facts.partial, true);
  assert.match(facts.warnings.join('; '), /read whole at a later moment: shop\.b/);
});
