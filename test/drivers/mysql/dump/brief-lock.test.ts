import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { startConsistentSnapshots } from '../../../../drivers/mysql/dump/consistent-point.ts';
import { openSession, waitPatiently } from '../../../../drivers/mysql/protocol/session.ts';
import { readServer } from '../../../../drivers/mysql/server.ts';
import { waitFor } from '../../../kit/process.ts';
import { startTcpProxy } from '../../../kit/tcp-proxy.ts';
import { startMariadb } from '../../../servers/mariadb.ts';

const { signal } = new AbortController();
const work = { clock: systemClock, signal, subject: 'sources.shop', step: () => {} };

test('a lock on all of a server ends soon when who holds it falls silent, or waits for a thread that does', async (t) => {
  const source = await startMariadb(t);
  await source.query('CREATE DATABASE shop; CREATE TABLE shop.a (i INT PRIMARY KEY)');
  const { user, password, host, port } = source;
  const proxy = await startTcpProxy(t, { host, port }, { toServer: { at: 'falls silent', fault: 'lose' } });
  const control = await openSession({ subject: 'sources.shop', user, password, host, port: proxy.port });
  const server = await readServer(control);

  const silent = async () => {
    await control.rows("SELECT 'falls silent'");
    return [];
  };
  const starting = startConsistentSnapshots({ ...work, control, server, startAll: silent });
  starting.catch(() => {});
  await waitFor('the silence', async () => proxy.failed === 1);
  const began = performance.now();
  await source.query('INSERT INTO shop.a VALUES (1)');
  const blockedMs = performance.now() - began;
  assert.ok(blockedMs > 1000 && blockedMs < 15_000, `writers waited for ${blockedMs} ms`);
  control.destroy();

  await using other = await openSession({ subject: 'sources.shop', user, password, host, port });
  await other.execute(waitPatiently);
  const before = await other.row('SELECT @@lock_wait_timeout, @@wait_timeout');
  const never = () => new Promise<never>(() => {});
  const waiting = startConsistentSnapshots({ ...work, control: other, server, startAll: never });
  await assert.rejects(waiting, { name: 'TimeoutError' });
  await source.query('INSERT INTO shop.a VALUES (2)');
  assert.deepEqual(await other.row('SELECT @@lock_wait_timeout, @@wait_timeout'), before);
});
