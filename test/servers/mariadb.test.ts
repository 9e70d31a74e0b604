import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from './mariadb.ts';

test('a private MariaDB', async (t) => {
  const server = await startMariadb(t, { args: ['--log-bin', '--server-id=7'] });

  await t.test('root by socket, with options of the test', async () => {
    assert.deepEqual(await server.query('SELECT 1; SELECT @@server_id AS id, @@log_bin AS log'), [{ id: 7, log: 1 }]);
  });

  await t.test('the user tidemark by port and by socket', async () => {
    const { host, port, user, password } = server;
    for (const where of [{ host, port, socketPath: undefined }, {}]) {
      const connection = await server.connect({ ...where, user, password });
      const [rows] = await connection.query('SELECT current_user() AS user');
      await connection.end();
      assert.match(JSON.stringify(rows), /tidemark@/);
    }
  });

  await t.test('keeps its data over a stop and a start', async () => {
    await server.query('CREATE DATABASE shop; CREATE TABLE shop.t (a INT); INSERT INTO shop.t VALUES (5)');
    await server.stop();
    await assert.rejects(server.query('SELECT 1'));
    await server.start();
    assert.deepEqual(await server.query('SELECT a FROM t', 'shop'), [{ a: 5 }]);
  });
});
