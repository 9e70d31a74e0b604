import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempFolder } from '../kit/temp.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { inside } from './kit.ts';

test('of a server with several plans a restore takes what holds the tables that are asked for', async (t) => {
  const server = await startMariadb(t);
  const folder = await tempFolder(t);
  await writeFile(
    join(folder, 'tidemark.yaml'),
    `sources:
  shop: { driver: mysql, socket: ${server.socket}, user: tidemark, password: "\${env:SHOP}" }
destinations:
  disk: { driver: local, path: ${join(folder, 'repository')}, password: "\${env:DISK}" }
plans:
  all: { source: shop, destinations: [disk], manual: true }
  orders: { source: shop, destinations: [disk], manual: true, include: [shop.orders] }
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0" }
`,
  );
  await server.query(
    `CREATE DATABASE shop; USE shop;
    CREATE TABLE orders (id INT PRIMARY KEY, v TEXT); INSERT INTO orders VALUES (1, 'one'), (2, 'two');
    CREATE TABLE people (id INT PRIMARY KEY, v TEXT); INSERT INTO people VALUES (1, 'me');
    CREATE VIEW totals AS SELECT COUNT(*) AS n FROM orders;`,
  );
  const tidemark = async (...args: string[]) => {
    const env = { SHOP: server.password, DISK: 'secret' };
    const told = await inside([...args, '--json'], { cwd: folder, env });
    return { code: told.code, ...JSON.parse(told.stdout) };
  };
  const restore = (...args: string[]) => tidemark('restore', 'shop', '--into', 'shop', '--auto-approve', ...args);
  assert.equal((await tidemark('apply', '--auto-approve')).code, 0);
  const all = await tidemark('backup', 'all');
  const orders = await tidemark('backup', 'orders');

  await server.query('DROP DATABASE shop');
  const everything = await restore();
  assert.deepEqual([everything.code, everything.backup], [0, all.backup], JSON.stringify(everything));
  const [people] = await server.query('SELECT v FROM shop.people');
  assert.equal(people!.v, 'me');
  assert.equal(everything.job.result.items, all.job.result.items);
  assert.equal((await tidemark('show', all.backup)).items, everything.job.result.items);

  const table = await restore('--only', 'shop.orders', '--overwrite');
  assert.deepEqual([table.code, table.backup], [0, orders.backup]);
  const misspelt = await restore('--only', 'shop.orders', 'shop.poeple', '--overwrite');
  assert.deepEqual([misspelt.code, misspelt.backup], [4, all.backup]);
  assert.deepEqual(misspelt.notRestored, [
    { item: 'shop.poeple', why: 'absent', detail: 'nothing in the backup matches this pattern' },
  ]);
  for (const only of ['shop.none*', 'Shop.orders', 'shop']) {
    const told = await restore('--plan', 'all', '--only', only);
    assert.deepEqual(
      [told.code, told.error?.code],
      only === 'shop' ? [6, 'TARGET_NOT_EMPTY'] : [5, 'BACKUP_NOT_FOUND'],
    );
  }
  const named = await restore('--backup', all.backup, '--only', 'shop.none*');
  assert.deepEqual([named.code, named.error.code], [3, 'USAGE']);
  const outside = await restore('--plan', 'orders', '--only', 'shop.people');
  assert.deepEqual([outside.code, outside.error.code], [5, 'BACKUP_NOT_FOUND']);

  await server.query('DROP TABLE shop.people');
  await tidemark('backup', 'all');
  const dropped = await restore('--only', 'shop.people');
  assert.deepEqual([dropped.code, dropped.backup], [0, all.backup], JSON.stringify(dropped));
  assert.match(
    dropped.restorePlan.why,
    /newest.* with anything that matches shop\.people; a newer one holds nothing of it/,
  );
});
