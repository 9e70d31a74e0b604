import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, connect } from '../../../../drivers/mysql/protocol/connection.ts';
import { PacketSplitter, readError } from '../../../../drivers/mysql/protocol/packets.ts';
import { ResultSet } from '../../../../drivers/mysql/protocol/result-set.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import type { Exchange } from '../../../../drivers/mysql/protocol/wire.ts';
import { waitFor } from '../../../kit/process.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';

const comPing = 0x0e;
const comUnknown = 0x7e;
const comBinlogDump = 0x12;

test('any command, and a stream without end', async (t) => {
  const server = await startMariadb(t, { args: ['--log-bin=log', '--binlog-format=ROW', '--server-id=5'] });
  await server.query('CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)');

  await t.test('commands other than queries, and one that the server does not know', async () => {
    await using connection = await openSession(addressOf(server));
    const answer = new ResultSet();
    await connection.wire.run(comPing, Buffer.alloc(0), answer);
    assert.equal(answer.okay?.affectedRows, 0);
    const unknown = connection.wire.run(comUnknown, Buffer.alloc(0), new ResultSet());
    await assert.rejects(unknown, { name: 'ServerError', errno: 1047 });
    assert.deepEqual(await connection.row('SELECT 1 AS one'), { one: '1' });
  });

  await t.test('a log that is followed, by somebody who is slower than the server', async () => {
    await using connection = await openLogSession(server);
    const events = new Events({ until: 'the end', slow: true });
    const followed = connection.wire.run(comBinlogDump, dumpFrom('log.000001'), events);
    const total = 32 * 1024 * 1024;
    await server.query(`INSERT INTO t SELECT seq, REPEAT('x', 1048576) FROM seq_1_to_${total / 1048576}`, 'shop');
    await server.query("CREATE TABLE the_end (comment_ INT) COMMENT 'the end'", 'shop');
    await followed;
    assert.ok(events.sizeBytes > total);
    assert.ok(events.most === 1, 'one piece at a time');
  });

  await t.test('is ended by its signal', async () => {
    const cancel = new AbortController();
    await using connection = await openLogSession(server, cancel.signal);
    const events = new Events({ until: 'never' });
    const followed = connection.wire.run(comBinlogDump, dumpFrom('log.000001'), events);
    followed.catch(() => {});
    await waitFor('the log', () => events.sizeBytes > 1_000_000);
    const reason = new Error('enough');
    cancel.abort(reason);
    await assert.rejects(followed, reason);
    await assert.rejects(connection.execute('SELECT 1'), reason);
  });

  await t.test('ends with the error of the server, or of the exchange', async () => {
    await using connection = await openLogSession(server);
    const missing = connection.wire.run(comBinlogDump, dumpFrom('log.000099'), new Events({ until: 'never' }));
    await assert.rejects(missing, { name: 'ServerError', errno: 1236 });
    await using other = await openSession(addressOf(server));
    const broken: Exchange = { take: () => Promise.reject(new Error('disk full')) };
    await assert.rejects(other.wire.run(comPing, Buffer.alloc(0), broken), /disk full/);
    await assert.rejects(other.execute('SELECT 1'), /disk full/);
  });
});

/** Takes packets until one holds these words, each piece of bytes after a while. */
class Events implements Exchange {
  sizeBytes = 0;
  /** How many pieces were under way at once. */
  most = 0;
  #underWay = 0;
  readonly #until: string;
  readonly #slow: boolean;
  readonly #packets = new PacketSplitter();

  constructor({ until, slow = false }: { until: string; slow?: boolean }) {
    this.#until = until;
    this.#slow = slow;
  }

  async take(chunk: Uint8Array): Promise<boolean> {
    this.#underWay++;
    this.most = Math.max(this.most, this.#underWay);
    if (this.#slow) await new Promise((resolve) => setTimeout(resolve, 2));
    let isEnd = false;
    for (const { body } of this.#packets.take(chunk)) {
      if (body[0] === 0xff) throw readError(body);
      this.sizeBytes += body.length;
      isEnd ||= body.includes(this.#until);
    }
    this.#underWay--;
    return isEnd;
  }
}

function addressOf({ socket, user, password }: MariadbServer) {
  return { subject: 'sources.shop', socketPath: socket, user, password };
}

async function openLogSession(server: MariadbServer, signal?: AbortSignal): Promise<Connection> {
  const connection = await connect(addressOf(server), { signal });
  await connection.execute("SET @master_binlog_checksum = 'NONE'");
  await connection.execute('SET @mariadb_slave_capability = 4');
  return connection;
}

/** Position (4 bytes), flags (2), server id (4), name of the file. */
function dumpFrom(file: string): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32LE(4, 0);
  head.writeUInt32LE(99, 6);
  return Buffer.concat([head, Buffer.from(file)]);
}
