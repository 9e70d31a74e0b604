import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('what a newer version has put into a backup is named by one that does not know it, and the rest is there', async (t) => {
  const server = await startMariadb(t, { args: ['--local-infile=1'] });
  await server.query(
    'CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1); CREATE VIEW shop.v AS SELECT * FROM shop.t',
  );
  const repository = await TestRepository.make(t);
  const also = [
    { kind: 'package body 2', database: 'shop', name: 'prices', path: 'databases/shop/prices.sql' },
    { kind: 'account', name: 'anna' },
  ];
  const { id } = await repository.backup(server, { also });
  await server.query('DROP DATABASE shop');
  const whole = await repository.restore(id, server);
  const named = ({ notRestored }: typeof whole) => notRestored.map(({ item, why }) => `${item}: ${why}`);
  assert.deepEqual(named(whole), ['package body 2 shop.prices: skipped', 'account anna: skipped']);
  assert.deepEqual([whole.items, whole.partial], [1, true]);
  assert.match(whole.notRestored[0]!.detail, /does not know what a package body 2 is/);
  const overwrite = true;
  assert.deepEqual(named(await repository.restore(id, server, { overwrite, only: ['shop.t'] })), []);
  const only = ['shop.prices'];
  assert.deepEqual(named(await repository.restore(id, server, { overwrite, only })), [
    'package body 2 shop.prices: skipped',
  ]);
});
