import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asTidemarkError } from '../../../core/error.ts';
import { openServer, TestRepository } from '../../drivers/mysql/repository.ts';
import { runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { mariadb118, mysql97, startServer } from './server.ts';

for (const kind of [mysql97, mariadb118]) {
  test(`${kind.name}: over TLS with a certificate that is verified, and not with a wrong one`, async (t) => {
    const folder = await tempFolder(t, 'tls');
    await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'stranger')]);
    await signServer(folder, 'ca', 'server', 'DNS:localhost');
    await signServer(folder, 'ca', 'other', 'DNS:other.example');
    const at = (name: string) => join(folder, name);
    const serve = (t: TestContext, name: string) =>
      startServer(t, kind, [
        `--ssl-ca=${at('ca.pem')}`,
        `--ssl-cert=${at(`${name}.pem`)}`,
        `--ssl-key=${at(`${name}.key`)}`,
        '--require-secure-transport=ON',
      ]);
    const server = await serve(t, 'server');
    const over = (port: number, ca: string, verify: string) => ({
      socket: undefined,
      host: 'localhost',
      port,
      tls: { ca: at(ca), verify },
    });
    const refusal = async (settings: Record<string, unknown>) => {
      await using session = await openServer(server, settings);
      return await session
        .probe(new AbortController().signal)
        .then(() => assert.fail('it was not refused'), asTidemarkError);
    };

    await t.test('a backup and a restore', async () => {
      const settings = over(server.port, 'ca.pem', 'identity');
      const connection = await server.connect();
      await connection.query(
        'CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1), (2)',
      );
      const repository = await TestRepository.make(t);
      const { id } = await repository.backup(server, { settings });
      await connection.query('DROP DATABASE shop');
      assert.equal((await repository.restore(id, server, { settings })).items, 1);
      const [rows] = await connection.query('SELECT COUNT(*) AS n FROM shop.t');
      assert.deepEqual(rows, [{ n: 2 }]);
      await connection.end();
    });

    await t.test('an authority that did not sign it', async () => {
      const { code, hint } = await refusal(over(server.port, 'stranger.pem', 'identity'));
      assert.deepEqual([code, /tls\.ca/.test(hint ?? '')], ['SOURCE_DENIED', true]);
    });

    await t.test('a certificate for another name, but not where the name is not to be verified', async (t) => {
      const other = await serve(t, 'other');
      const { code, message } = await refusal(over(other.port, 'ca.pem', 'identity'));
      assert.equal(code, 'SOURCE_DENIED', message);
      await using session = await openServer(server, over(other.port, 'ca.pem', 'ca'));
      await session.probe(new AbortController().signal);
    });

    await t.test('no TLS at all, where the server wants it', async () => {
      const { socket: _, ...plain } = { ...over(server.port, 'ca.pem', 'identity'), tls: undefined };
      const { code } = await refusal({ socket: undefined, ...plain });
      assert(['SOURCE_DENIED', 'SOURCE_FAILED'].includes(code), code);
    });
  });
}

async function makeAuthority(folder: string, name: string): Promise<void> {
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', `/CN=${name}`];
  await runOk('openssl', [...args, '-keyout', `${name}.key`, '-out', `${name}.pem`], { cwd: folder });
}

async function signServer(folder: string, authority: string, name: string, alternative: string): Promise<void> {
  const request = [
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  ];
  await runOk('openssl', request, { cwd: folder });
  await writeFile(join(folder, `${name}.ext`), `subjectAltName=${alternative}\n`);
  const signing = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '3650'];
  await runOk(
    'openssl',
    ['x509', '-req', '-in', `${name}.csr`, ...signing, '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    { cwd: folder },
  );
}
