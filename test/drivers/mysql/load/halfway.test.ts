import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTidemarkError, TidemarkError } from '../../../../core/error.ts';
import { waitFor } from '../../../kit/process.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { type RestoreOptions, TestRepository } from '../repository.ts';

const args = ['--local-infile=1'];

test('a restore that ends halfway says what is in the target, and leaves nothing half loaded that it could drop', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t, { args }), startMariadb(t, { args })]);
  await source.query(tables);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  /** What a restore in one thread ends with, when this is done in the middle of the rows of `m_big`. */
  const endedBy = async (interrupt: () => unknown, options: RestoreOptions = {}) => {
    const restoring = repository.restore(id, target, { settings: { parallel: 1 }, verify: false, ...options });
    const ended = restoring.then(() => assert.fail('it did not end'), asTidemarkError);
    await loadingOf(target);
    await interrupt();
    return ended;
  };

  await t.test('by a lost connection', async () => {
    const { code, message } = await endedBy(async () => target.query(`KILL ${await loadingOf(target)}`));
    assert.equal(code, 'SOURCE_UNREACHABLE');
    assert.match(
      message,
      /; 1 half loaded and dropped again \(shop\.m_big\); \d not begun \(.*\); 0 of 1 views, routines/,
    );
    assert.deepEqual(await tablesOf(target), wholeOf(message));
  });

  await t.test('by a cancel', async () => {
    const controller = new AbortController();
    const cancelled = new TidemarkError('CANCELLED', 'cancelled by a test');
    const options = { signal: controller.signal, overwrite: true };
    const { code, message } = await endedBy(() => controller.abort(cancelled), options);
    assert.equal(code, 'CANCELLED');
    assert.match(message, /^cancelled by a test; .*; 1 half loaded and dropped again \(shop\.m_big\)/);
    assert.deepEqual(await tablesOf(target), wholeOf(message));
  });

  await t.test('by the death of the server: what is half loaded is named as that', async () => {
    const { code, message } = await endedBy(() => target.stop('SIGKILL'), { overwrite: true });
    assert.equal(code, 'SOURCE_UNREACHABLE');
    assert.match(message, /; 1 half loaded and still there \(shop\.m_big\); \d not begun/);
  });

  await t.test('by a full disk', async (t) => {
    const folder = await smallDisk(t, 150 * 1024 * 1024);
    const small = await startMariadb(t, {
      args: [...args, '--innodb-buffer-pool-size=8M', '--loose-innodb-temp-data-file-path=ibtmp1:1M:autoextend'],
      folder,
    });
    const error = await repository
      .restore(id, small, { settings: { parallel: 1 } })
      .then(() => assert.fail('it did not end'), asTidemarkError);
    assert.equal(error.code, 'TARGET_FAILED', error.message);
    assert.match(error.message, /is full.*; 1 half loaded and dropped again \(shop\.m_big\)/);
    assert.match(error.hint ?? '', /Make room/);
    assert.deepEqual(await tablesOf(small), wholeOf(error.message));
    await small.stop('SIGKILL');
  });
});

const tables = `CREATE DATABASE shop; USE shop;
  CREATE TABLE a_whole (id INT PRIMARY KEY); INSERT INTO a_whole VALUES (1);
  CREATE TABLE m_big (id INT PRIMARY KEY, pad TEXT, KEY (pad(100))); INSERT INTO m_big SELECT seq, CONCAT(MD5(seq), REPEAT('x', 1500)) FROM seq_1_to_40000;
  CREATE TABLE n_last (id INT PRIMARY KEY); INSERT INTO n_last VALUES (1);
  CREATE TABLE z_empty (id INT PRIMARY KEY); CREATE VIEW a_view AS SELECT id FROM n_last`;

/** The tables that the message says are whole. */
function wholeOf(message: string): string[] {
  const [, count, list = ''] = /; (\d) of 4 tables are whole in the target \((.*?)\)/.exec(message) ?? [];
  const names = list.split(', ').map((name) => name.replace('shop.', ''));
  assert.equal(names.length, Number(count), message);
  assert(names.includes('z_empty'), message);
  return names.sort();
}

/** The connection that loads `m_big` now. */
async function loadingOf(server: MariadbServer): Promise<number> {
  let found: number | undefined;
  await waitFor('the load of m_big', async () => {
    const list = "SELECT id FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%m\\_big%' AND time_ms > 100";
    found = (await server.query(list))[0]?.id;
    return found !== undefined;
  });
  return found!;
}

async function tablesOf(server: MariadbServer): Promise<string[]> {
  const rows = await server.query(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}
