import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TidemarkError } from '../../../../core/error.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import { waitFor } from '../../../kit/process.ts';
import { type Faults, startTcpProxy } from '../../../kit/tcp-proxy.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { openServer, TestRepository } from '../repository.ts';
import { tlsArgs } from './tls.ts';

/** Where a server, or the way to it, may fall silent before it has said anything of use. */
const stages: Record<string, Faults> = {
  accept: { accept: 'silent' },
  greeting: { toClient: { fault: 'stall' } },
  'the middle of the greeting': { toClient: { at: 20, fault: 'stall' } },
  login: { toServer: { fault: 'lose' } },
  'the first statement': { toServer: { at: 'SET NAMES', fault: 'lose' } },
  'the middle of an answer': { toClient: { at: 200, fault: 'stall' } },
  'the first question': { toServer: { at: 'SELECT', fault: 'lose' } },
};
const promptMs = 2000;

type Call = (settings: Record<string, unknown>, signal: AbortSignal) => Promise<unknown>;

test('a server that falls silent keeps no call', async (t) => {
  const args = ['--log-bin', '--server-id=5', '--local-infile=1', ...(await tlsArgs(t))];
  const server = await startMariadb(t, { args });
  await server.query('CREATE DATABASE wide; CREATE TABLE wide.a (id INT PRIMARY KEY, t LONGTEXT)');
  await server.query('INSERT INTO wide.a SELECT seq, REPEAT(MD5(seq), 3000) FROM seq_1_to_100', 'wide');
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(server);
  const probe: Call = async (settings, signal) => (await openServer(server, settings)).probe(signal);
  const backup: Call = (settings, signal) => repository.backup(server, { settings, signal });
  const restore: Call = (settings, signal) => repository.restore(id, server, { settings, signal, overwrite: true });

  for (const [stage, faults] of Object.entries(stages)) {
    await t.test(`at ${stage}`, async (t) => {
      await Promise.all([probe, backup, restore].map((call) => endsPromptly(t, server, faults, call)));
    });
  }

  await t.test('in the handshake of TLS, and in the first statement above it', async (t) => {
    const tls: Call = (settings, signal) => probe({ ...settings, tls: { verify: 'none' } }, signal);
    for (const at of [40, 900]) await endsPromptly(t, server, { toServer: { at, fault: 'lose' } }, tls);
  });

  for (const fault of ['stall', 'lose'] as const) {
    await t.test(`in the middle of rows that are read, by ${fault}`, (t) =>
      endsPromptly(t, server, { toClient: { at: 1_000_000, fault } }, backup),
    );
  }

  await t.test('in a statement that waits for others: it does not wait on for nobody', async (t) => {
    const blocker = await server.connect();
    await blocker.query('LOCK TABLES wide.a WRITE');
    const waits = async () => (await server.query('SHOW PROCESSLIST')).some((one) => /metadata lock/.test(one.State));
    await endsPromptly(t, server, {}, backup, waits);
    await blocker.end();
  });

  for (const fault of ['stall', 'lose'] as const) {
    await t.test(`in the middle of rows that are written, by ${fault}`, (t) =>
      endsPromptly(t, server, { toServer: { at: 1_000_000, fault } }, restore),
    );
  }
});

test('a login that comes to no end is given up', async (t) => {
  const server = await startMariadb(t);
  for (const stage of ['accept', 'greeting', 'login', 'the first statement']) {
    const { host, port } = await startTcpProxy(t, { host: server.host, port: server.port }, stages[stage]);
    const address = { subject: 'sources.shop', host, port, user: server.user, password: server.password };
    const expected = { code: 'SOURCE_UNREACHABLE', subject: 'sources.shop', retry: 'backoff' };
    await assert.rejects(openSession(address, { loginTimeoutMs: 200 }), expected, stage);
  }
});

/** Calls over a proxy, cancels as soon as the call hangs, and looks whether anything is left. */
async function endsPromptly(
  t: TestContext,
  server: MariadbServer,
  faults: Faults,
  call: Call,
  hangs?: () => Promise<boolean>,
): Promise<void> {
  const proxy = await startTcpProxy(t, { host: server.host, port: server.port }, faults);
  const cancel = new AbortController();
  const settled: unknown[] = [];
  const called = call({ socket: undefined, host: proxy.host, port: proxy.port }, cancel.signal).then(
    () => settled.push('succeeded'),
    (error) => settled.push(error),
  );
  await waitFor('the stall', hangs ?? (() => proxy.failed > 0));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(settled, [], 'it does hang');
  const reason = new TidemarkError('CANCELLED', 'enough');
  const startMs = performance.now();
  cancel.abort(reason);
  await called;
  const [error] = settled as TidemarkError[];
  assert.equal(error?.code, 'CANCELLED');
  assert.match(error.message, /^enough/); // a restore adds what is in the target by now
  assert.ok(performance.now() - startMs < promptMs, `${performance.now() - startMs} ms`);
  await waitFor('the connections to be gone', () => proxy.open === 0);
  await waitFor('the server to be rid of them', async () => (await connectionsOf(server)) === 0);
}

async function connectionsOf(server: MariadbServer): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'tidemark'";
  return (await server.query(sql))[0]!.n;
}
