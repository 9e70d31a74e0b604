import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestRepository } from '../../drivers/mysql/repository.ts';
import { mariadb118, mysql56, mysql97, startServer } from './server.ts';

for (const [from, to] of [
  [mysql56, mysql97],
  [mysql56, mariadb118],
  [mysql97, mysql56],
] as const) {
  test(`${to.name} does not lack the utf8 of ${from.name} for listing it by its other name`, async (t) => {
    const [source, target] = [await startServer(t, from), await startServer(t, to)];
    const [there, here] = [await source.connect(), await target.connect({ multipleStatements: true })];
    for (const sql of schema) await there.query(sql);
    await there.end();
    const repository = await TestRepository.make(t);
    const { id } = await repository.backup(source);
    await here.query(
      'CREATE DATABASE shop CHARACTER SET utf8 COLLATE utf8_bin; SET GLOBAL log_bin_trust_function_creators = 1',
    );
    const { warnings, notRestored } = await repository.restore(id, target);
    assert.deepEqual([warnings, notRestored], [[], []]);
    await here.end();
  });
}

const schema = [
  'CREATE DATABASE shop CHARACTER SET utf8 COLLATE utf8_bin',
  'CREATE TABLE shop.t (a VARCHAR(9) CHARACTER SET utf8 PRIMARY KEY, b VARCHAR(9) COLLATE utf8_unicode_ci)',
  "INSERT INTO shop.t VALUES ('ä', 'ü')",
  'CREATE PROCEDURE shop.p() DO 1',
];
