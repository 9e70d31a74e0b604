import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('what would become one where names have no case is not restored, and named', async (t) => {
  const [source, target] = await Promise.all([
    startMariadb(t),
    startMariadb(t, { args: ['--lower-case-table-names=1'] }),
  ]);
  await source.query(`CREATE DATABASE shop; USE shop; CREATE VIEW V AS SELECT 1 a; CREATE VIEW v AS SELECT 2 b;
    CREATE TABLE T (i INT); INSERT INTO T VALUES (1); CREATE SEQUENCE t; CREATE TRIGGER g BEFORE INSERT ON T FOR EACH ROW SET NEW.i = 2;
    CREATE TABLE Fine (i INT); INSERT INTO Fine VALUES (1); CREATE PROCEDURE p() DO 1;
    CREATE DATABASE d; CREATE TABLE d.x (i INT); CREATE DATABASE D; CREATE TABLE D.y (i INT); CREATE PROCEDURE D.p() DO 1;
    CREATE DATABASE SYS; CREATE TABLE SYS.z (i INT)`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  for (const overwrite of [false, true]) {
    const { notRestored, partial, items } = await repository.restore(id, target, { overwrite });
    assert.deepEqual([partial, items], [true, 1]);
    assert.deepEqual(notRestored.map((one) => `${one.item} ${one.why}`).toSorted(), [
      'database D refused',
      'database SYS refused',
      'database d refused',
      'procedure D.p refused',
      'sequence shop.t refused',
      'table D.y refused',
      'table SYS.z refused',
      'table d.x refused',
      'table shop.T refused',
      'triggers of table shop.T refused',
      'view shop.V refused',
      'view shop.v refused',
    ]);
    assert.match(notRestored.find((one) => one.item === 'view shop.v')!.detail, /would be one with view shop\.V$/);
    const there = await target.query(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema IN ('shop', 'd') OR table_name = 'z'",
    );
    assert.deepEqual(
      there.map((one) => one.name),
      ['fine'],
    );
    const again = repository.restore(id, target, { only: ['shop.Fine'] });
    await assert.rejects(again, /the server already holds shop\.Fine/);
  }
});
