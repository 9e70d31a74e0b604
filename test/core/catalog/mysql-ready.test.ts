import { test } from 'node:test';
import { catalogContract } from '../../contracts/catalog.ts';
import { migrateMysql, openMysqlCatalog } from '../../contracts/mysql-catalog.ts';
import { startMariadb } from '../../servers/mariadb.ts';

/** Faster than a database for each case. */
const empty = [
  ...['resource', 'backup', 'job', 'plan_status', 'event'].map((table) => `delete from ${table}`),
  'update daemon set until = 0',
  'update state set serial = 0, claims = 0, appliedAt = null',
].join('; ');

test('the parts of the catalog fulfil its contract over MariaDB, with many writers at a time', async (t) => {
  const server = await startMariadb(t, { args: ['--innodb-flush-log-at-trx-commit=0', '--sync-binlog=0'] });
  await server.query('create database catalog character set utf8mb4 collate utf8mb4_bin');
  const url = `mysql:${server.socket}#catalog`;
  await migrateMysql(url);
  await catalogContract(t, async () => {
    await server.query(empty, 'catalog');
    return { url, open: (clock) => openMysqlCatalog(url, clock) };
  });
});
