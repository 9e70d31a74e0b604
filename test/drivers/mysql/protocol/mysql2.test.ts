import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { TLSSocket } from 'node:tls';
import mysql from 'mysql2';
import { connect } from '../../../../drivers/mysql/protocol/connection.ts';
import { startTcpProxy } from '../../../kit/tcp-proxy.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { tlsArgs } from './tls.ts';

/** The versions of mysql2 that were tried with `Connection`, which takes its private stream over after the login. */
const tried = /^3\.24\./;

const installed: string = createRequire(import.meta.url)('mysql2/package.json').version;

test('the installed mysql2 is a version that was tried', () => {
  assert.match(installed, tried, `try mysql2 ${installed}: run all tests of drivers/mysql, then name it here`);
});

test(`mysql2 ${installed} keeps what Connection takes over`, async (t) => {
  const server = await startMariadb(t, { args: await tlsArgs(t) });

  for (const [way, where] of Object.entries(ways(server))) {
    await t.test(`its stream is the one that the server talks on, by ${way}`, async () => {
      const login = mysql.createConnection({ ...where, user: server.user, password: server.password });
      await new Promise((resolve, reject) => login.once('connect', resolve).once('error', reject));
      const { stream } = login as unknown as { stream: unknown };
      assert.ok(stream instanceof Duplex);
      assert.equal(stream instanceof TLSSocket, way === 'TLS');
      stream.removeAllListeners('data');
      const said = new Promise<Buffer>((resolve) => stream.once('data', resolve));
      stream.write(Buffer.of(1, 0, 0, 0, 0x0e)); // a ping, numbered from 0
      assert.deepEqual([...(await said).subarray(0, 5)], [7, 0, 0, 1, 0]); // OK of seven bytes, without more that was agreed on
      stream.destroy();
    });
  }

  await t.test('a login that is cancelled leaves no timer and no socket', async (t) => {
    const proxy = await startTcpProxy(t, { host: server.host, port: server.port }, { accept: 'silent' });
    const before = process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    const address = { subject: 'x', host: proxy.host, port: proxy.port, user: 'u', password: '' };
    await assert.rejects(connect(address, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
    const after = process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
    assert.equal(after, before);
  });
});

function ways({ socket, host, port }: MariadbServer): Record<string, mysql.ConnectionOptions> {
  return {
    'the file system': { socketPath: socket },
    TCP: { host, port },
    TLS: { host, port, ssl: { rejectUnauthorized: false } },
  };
}
