import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('code is made for the collation that its database had, in one that is there with another', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t), startMariadb(t)]);
  await source.query(schema);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  await target.query('CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
  const { partial, warnings } = await repository.restore(id, target);
  assert.deepEqual(await madeFor(target), await madeFor(source));
  assert.deepEqual(await target.query("SELECT shop.bytes('ä') AS n"), [{ n: 1 }]);
  assert.deepEqual(await target.query(ownCollation), [{ own: 'utf8mb4_bin' }]);
  assert.equal(partial, false);
  const is =
    'it is there with the default collation utf8mb4_bin, which it keeps, not with latin1_swedish_ci as in the backup';
  const made = 'routines, triggers and events are made for latin1_swedish_ci';
  assert.equal(warnings[0], `database shop: ${is}; ${made}`);
});

test('what sets the collation of the database is asked for beforehand', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t), startMariadb(t)]);
  await source.query(schema);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  await target.query(
    `CREATE DATABASE shop COLLATE utf8mb4_bin; CREATE USER low@localhost IDENTIFIED BY 'low';
     GRANT CREATE ROUTINE, SET USER ON *.* TO low@localhost`,
  );
  const only = ['shop.bytes*'];
  const low = { only, settings: { user: 'low', password: 'low' } };
  await assert.rejects(repository.restore(id, target, low), /lacks ALTER on `shop`\.\*/);
  await target.query('GRANT ALTER ON shop.* TO low@localhost');
  assert.equal((await repository.restore(id, target, low)).partial, false);
  assert.deepEqual(await target.query(ownCollation), [{ own: 'utf8mb4_bin' }]);
});

const schema = `CREATE DATABASE shop CHARACTER SET latin1; USE shop; CREATE TABLE t (i INT);
  CREATE FUNCTION bytes(x VARCHAR(10)) RETURNS INT DETERMINISTIC RETURN LENGTH(x);
  CREATE PROCEDURE nothing() DO 1; CREATE TRIGGER fires BEFORE INSERT ON t FOR EACH ROW SET NEW.i = 1;
  CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DISABLE DO DO 1; ALTER DATABASE shop COLLATE latin1_bin;
  CREATE PROCEDURE later() DO 1; ALTER DATABASE shop COLLATE latin1_swedish_ci`;

const ownCollation = "SELECT default_collation_name AS own FROM information_schema.schemata WHERE schema_name = 'shop'";

function madeFor(server: { query(sql: string): Promise<unknown> }): Promise<unknown> {
  return server.query(`SELECT routine_name AS name, database_collation AS made FROM information_schema.routines WHERE routine_schema = 'shop'
    UNION SELECT trigger_name, database_collation FROM information_schema.triggers WHERE trigger_schema = 'shop'
    UNION SELECT event_name, database_collation FROM information_schema.events WHERE event_schema = 'shop' ORDER BY 1`);
}
