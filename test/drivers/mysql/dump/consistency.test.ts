import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../../kit/process.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { openServer, TestRepository } from '../repository.ts';
import { runNow } from './run-now.ts';

const accounts = 40_000;

test('a backup under writers shows one moment', async (t) => {
  const args = ['--log-bin', '--server-id=5', '--local-infile=1'];
  const [source, target] = await Promise.all([startMariadb(t, { args }), startMariadb(t, { args })]);
  await makeBank(source);
  const repository = await TestRepository.make(t);

  const { id, result } = await whileWriting(source, () => repository.backup(source, { include: ['bank.*'] }));
  await repository.restore(id, target);
  const [row] = await target.query(
    'SELECT (SELECT SUM(amount) FROM bank.a) + (SELECT SUM(amount) FROM bank.b) AS total, COUNT(*) AS n FROM bank.a',
  );
  assert.deepEqual([Number(row!.total), row!.n], [2 * accounts * 100, accounts]);
  assert.ok(Number(result.facts.consistentPoint.binlogPosition) > 0);
});

test('without a binary log the snapshots start under a brief lock', async (t) => {
  const source = await startMariadb(t);
  await makeBank(source);
  const repository = await TestRepository.make(t);
  const { id, result } = await whileWriting(source, () => repository.backup(source));
  assert.equal(result.facts.consistentPoint.binlogFile, undefined);
  assert.match(result.facts.consistentPoint.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const files = result.facts.contents.filter((one) => one.kind === 'table').map((one) => one.rows);
  assert.deepEqual(files, [accounts, accounts]);
  await source.query('DROP DATABASE bank');
  await repository.restore(id, source);
  const [row] = await source.query(
    'SELECT SUM(amount) AS total FROM (SELECT * FROM a UNION ALL SELECT * FROM b) AS both_tables',
    'bank',
  );
  assert.equal(Number(row!.total), 2 * accounts * 100);
});

test('a backup claims one moment for what its snapshot holds alone', async (t) => {
  const source = await startMariadb(t);
  await source.query('CREATE DATABASE shop; CREATE DATABASE old; CREATE TABLE shop.a (i INT PRIMARY KEY)');
  await source.query('CREATE TABLE old.m (i INT) ENGINE=MyISAM; CREATE TABLE old.r (i INT) ENGINE=Aria');
  const repository = await TestRepository.make(t);
  const claimOf = async (include: string[], change?: string) => {
    let steps = 0;
    const step = (text: string) => {
      if (text.startsWith('reading') && steps++ === 0 && change !== undefined) runNow(source, change);
    };
    const { contents } = (await repository.backup(source, { include, step })).result.facts;
    return contents.find((one) => one.kind === 'server')!.consistency;
  };
  const change = 'ALTER TABLE shop.a FORCE';
  assert.equal(await claimOf(['shop']), 'one moment');
  assert.equal(await claimOf(['shop', 'old.m']), 'one moment, but for tables that are not transactional');
  assert.equal(await claimOf(['old.r']), 'one moment, but for tables that are not transactional');
  assert.equal(await claimOf(['shop'], change), 'one moment, but for tables that changed meanwhile');
  assert.equal(
    await claimOf([], change),
    'one moment, but for tables that are not transactional and tables that changed meanwhile',
  );
});

test('a table that changes while it is read is read again whole at a later moment, or named', async (t) => {
  const source = await startMariadb(t, { args: ['--log-bin', '--server-id=5'] });
  await makeBank(source);
  const repository = await TestRepository.make(t);
  const later = /changed while the backup was made, so read whole at a later moment: .*bank\.b/;
  for (const [change, named, rows] of [
    ['ALTER TABLE bank.b ADD COLUMN more INT DEFAULT 3', later, [accounts, accounts]],
    ['ALTER TABLE bank.b DROP COLUMN amount, ADD COLUMN amount INT NOT NULL DEFAULT 9', later, [accounts, accounts]],
    ['RENAME TABLE bank.a TO bank.c, bank.b TO bank.a, bank.c TO bank.b', later, [accounts, accounts]],
    ['TRUNCATE TABLE bank.b', later, [accounts, 0]],
    ['DROP TABLE bank.b', /not in this backup: table bank\.b: Table 'bank\.b' doesn't exist/, [accounts]],
  ] as const) {
    let changes = 0;
    const step = (text: string) => {
      if (text.startsWith('reading') && changes++ === 0) runNow(source, change);
    };
    const { result } = await repository.backup(source, { step });
    const found = result.facts.contents.filter((one) => one.kind === 'table').map((one) => Number(one.rows));
    assert.deepEqual(
      found.toSorted((a, b) => b - a),
      rows,
      change,
    );
    assert.match(result.facts.warnings.join('; '), named, change);
    assert.equal(result.facts.partial, true);
  }
});

test('a table that gets the name of another between their readings does not stand for it', async (t) => {
  const source = await startMariadb(t, { args: ['--log-bin', '--server-id=5'] });
  const repository = await TestRepository.make(t);
  const fill = (table: string, rows: number) =>
    `INSERT INTO ${table} SELECT seq, 1, REPEAT('x', 200) FROM seq_1_to_${rows}`;
  for (const [change, rows, named] of [
    ['RENAME TABLE a TO c, b TO a, c TO b', [40_000, 30_000], undefined],
    ['ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b', [40_000, 30_000], undefined],
    ['TRUNCATE TABLE b', [40_000, 0], undefined],
    ['DROP TABLE b; RENAME TABLE a TO b', [40_000], /not in this backup: table bank\.b: /],
    ['DROP TABLE b; CREATE VIEW b AS SELECT 1', [40_000], /not in this backup: table bank\.b: /],
    [
      'RENAME TABLE a TO c, b TO a; DROP TABLE a; CREATE TABLE a LIKE c',
      [40_000],
      /not in this backup: table bank\.b: /,
    ],
    ['RENAME TABLE a TO c, b TO a; CREATE VIEW b AS SELECT 1', [40_000, 30_000], undefined],
  ] as const) {
    await source.query(`CREATE OR REPLACE DATABASE bank; USE bank; CREATE TABLE b (id INT PRIMARY KEY, v INT, t TEXT);
      CREATE TABLE a (id INT PRIMARY KEY, v INT, t TEXT) ${change.includes('PARTITION') ? 'PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN MAXVALUE)' : ''};
      ${fill('a', 40_000)}; ${fill('b', 30_000)}; ANALYZE TABLE a, b`);
    let changes = 0;
    const step = (text: string) => {
      if (text === 'reading bank.b' && changes++ === 0) runNow(source, `USE bank; ${change}`);
    };
    const { facts } = (await repository.backup(source, { step, settings: { parallel: 1 } })).result;
    const tables = facts.contents.filter((one) => one.kind === 'table');
    const text = JSON.stringify({
      change,
      tables: tables.map((one) => [one.name, one.rows, one.later]),
      warnings: facts.warnings,
    });
    assert.deepEqual(
      tables.map((one) => Number(one.rows)).toSorted((x, y) => y - x),
      rows,
      text,
    );
    const lost = facts.warnings.filter((one) => one.startsWith('not in this backup'));
    if (named === undefined) assert.deepEqual(lost, [], text);
    else assert.match(lost.join(), named, text);
    assert.equal(facts.partial, true, text);
  }
});

test('tables that come and go cost themselves, and those that rest are of one moment', async (t) => {
  const source = await startMariadb(t, { args: ['--log-bin', '--server-id=5'] });
  await source.query(`CREATE DATABASE shop; USE shop; CREATE TABLE rest (id INT PRIMARY KEY); INSERT INTO rest SELECT seq FROM seq_1_to_500;
    CREATE TABLE sums (a INT, b INT AS (a + 1)); CREATE TABLE computed (b INT AS (1 + 1)); CREATE TABLE broken (a INT) ENGINE=MyISAM`);
  await source.query('FLUSH TABLES shop.broken');
  await rm(join(source.folder, 'data/shop/broken.MYI'));
  const repository = await TestRepository.make(t);
  let made = 0;
  let done = false;
  const churn = async () => {
    const connection = await source.connect({ database: 'shop' });
    for (; !done; made++) {
      await connection.query(`CREATE TABLE tmp_${made} (id INT PRIMARY KEY); INSERT INTO tmp_${made} VALUES (1)`);
      await sleep(50);
      await connection.query(`DROP TABLE tmp_${made}`);
      await sleep(50);
    }
    await connection.end();
  };
  const churning = churn();
  try {
    for (let round = 0; round < 10; round++) {
      const { result } = await repository.backup(source);
      const { contents, warnings } = result.facts;
      const found = contents.filter((one) => one.kind === 'table' && !String(one.name).startsWith('tmp_'));
      assert.deepEqual(
        found.map((one) => [one.name, one.rows, one.later]),
        [
          ['rest', 500, undefined],
          ['sums', 0, undefined],
        ],
      );
      const named = warnings.filter((one) => !one.includes('shop.tmp_'));
      assert.match(
        named.join('; '),
        /^not in this backup: table shop\.broken: .*; not in this backup: table shop\.computed: all its columns/,
      );
      assert.equal(named.length, 2);
    }
  } finally {
    done = true;
    await churning;
  }
  await assert.rejects(repository.backup(source, { include: ['shop.nothing'] }), { code: 'CONFIG_INVALID' });
});

test('cancelling ends the work on the server', async (t) => {
  const source = await startMariadb(t);
  await makeBank(source);
  await source.query('CREATE TABLE bank.wide (id INT PRIMARY KEY, t LONGTEXT)');
  await source.query(
    'INSERT INTO bank.wide SELECT seq, REPEAT(MD5(seq), 3000) FROM bank.a JOIN seq_1_to_1500 ON id = seq',
    'bank',
  );
  const repository = await TestRepository.make(t);
  const cancel = new AbortController();
  const reason = new Error('enough');
  const step = (text: string) => {
    if (text.startsWith('reading')) cancel.abort(reason);
  };
  await assert.rejects(repository.backup(source, { signal: cancel.signal, step }), reason);
  await waitFor('the server to be rid of the dump', async () => {
    const rows = await source.query("SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'tidemark'");
    return rows[0]!.n === 0;
  });
});

test('a pattern that matches nothing is no empty backup', async (t) => {
  const source = await startMariadb(t);
  const repository = await TestRepository.make(t);
  await assert.rejects(repository.backup(source, { include: ['shop.*'] }), { code: 'CONFIG_INVALID' });
  await source.query('CREATE DATABASE shop; CREATE TABLE shop.a (i INT); CREATE TABLE shop.tmp_b (i INT)');
  const { result } = await repository.backup(source, { include: ['shop'], exclude: ['shop.tmp_*'] });
  const names = result.facts.contents.filter((one) => one.kind === 'table').map((one) => one.name);
  assert.deepEqual(names, ['a']);
});

test('a pattern among others that matches nothing makes the backup partial, by name', async (t) => {
  const source = await startMariadb(t);
  await source.query(`CREATE DATABASE shop; USE shop; CREATE TABLE orders (i INT); CREATE VIEW v AS SELECT 1;
    CREATE SEQUENCE s; CREATE PROCEDURE p() SELECT 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @a = 1; CREATE DATABASE blank`);
  const repository = await TestRepository.make(t);
  const good = ['shop.orders', 'shop.v', 'shop.s', 'shop.p*', 'shop.e*', 'sh*.*'];
  const all = (await repository.backup(source, { include: good })).result.facts;
  assert.deepEqual([all.partial, all.warnings], [false, []]);
  const less = (await repository.backup(source, { include: [...good, 'shop.paymnets', 'blank'] })).result.facts;
  assert.equal(less.partial, true);
  assert.deepEqual(less.warnings, ['nothing matches include shop.paymnets', 'nothing matches include blank']);
});

test('a view that comes during a backup and does not work costs at most itself', async (t) => {
  const source = await startMariadb(t);
  await source.query('CREATE DATABASE shop; CREATE TABLE shop.a (i INT PRIMARY KEY); INSERT INTO shop.a VALUES (1)');
  const repository = await TestRepository.make(t);
  const views = `USE shop; CREATE TABLE gone (i INT); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone;
    CREATE DEFINER=nobody@nowhere VIEW orphan AS SELECT * FROM a`;
  let isFirst = true;
  const step = (text: string) => {
    if (text.startsWith('reading') && isFirst) runNow(source, views);
    isFirst &&= !text.startsWith('reading');
  };
  const { contents, warnings } = (await repository.backup(source, { step })).result.facts;
  const found = contents.filter((one) => one.kind !== 'server').map((one) => `${one.kind} ${one.name ?? ''}`);
  for (const one of ['table a', 'view broken', 'view orphan']) {
    assert.ok(found.includes(one) || warnings.some((text) => text.includes(one.replace(' ', ' shop.'))), one);
  }
  assert.ok(found.includes('table a'));
});

test('a probe says who it is and what is missing', async (t) => {
  const source = await startMariadb(t);
  const signal = new AbortController().signal;
  await using session = await openServer(source);
  const { version, identity, problems } = await session.probe(signal);
  assert.match(version, /^MariaDB \d+\.\d+\.\d+$/);
  assert.ok(identity.length > 10);
  assert.deepEqual(problems, []);
  await source.query('CREATE USER poor@localhost; GRANT SELECT, RELOAD ON *.* TO poor@localhost');
  await using poor = await openServer(source, { user: 'poor', password: '' });
  const found = (await poor.probe(signal)).problems.map((one) => `${one.severity}: ${one.summary}`);
  assert.deepEqual(found.sort(), [
    'error: the account poor@localhost lacks EVENT',
    'error: the account poor@localhost lacks PROCESS',
    'error: the account poor@localhost lacks SHOW VIEW',
    'error: the account poor@localhost lacks TRIGGER',
    'warning: the account poor@localhost lacks BINLOG MONITOR',
  ]);
  await using wrong = await openServer(source, { password: 'wrong' });
  await assert.rejects(wrong.probe(signal), { code: 'SOURCE_DENIED', subject: 'sources.shop' });
  await using gone = await openServer(source, { socket: '/nowhere/s.sock' });
  await assert.rejects(gone.probe(signal), { code: 'SOURCE_UNREACHABLE', retry: 'backoff' });
  await using closed = await openServer(source, { socket: undefined, host: '127.0.0.1', port: 1 });
  await assert.rejects(closed.probe(signal), { code: 'SOURCE_UNREACHABLE' });
});

async function makeBank(server: MariadbServer): Promise<void> {
  await server.query(`CREATE DATABASE bank; CREATE TABLE bank.a (id INT PRIMARY KEY, amount INT NOT NULL, t TEXT);
    CREATE TABLE bank.b LIKE bank.a; USE bank;
    INSERT INTO a SELECT seq, 100, REPEAT('x', 200) FROM seq_1_to_${accounts}; INSERT INTO b SELECT * FROM a`);
}

/** Moves amounts between the two tables without pause, so that only one moment has the right sum. */
async function whileWriting<Result>(server: MariadbServer, work: () => Promise<Result>): Promise<Result> {
  let done = false;
  let transfers = 0;
  const write = async () => {
    const connection = await server.connect();
    while (!done) {
      const id = 1 + ((transfers++ * 7919) % accounts);
      await connection.query(
        `BEGIN; UPDATE bank.a SET amount = amount - 5 WHERE id = ${id}; UPDATE bank.b SET amount = amount + 5 WHERE id = ${id}; COMMIT`,
      );
    }
    await connection.end();
  };
  const writers = [write(), write()];
  try {
    await waitFor('the writers', async () => transfers > 20);
    return await work();
  } finally {
    done = true;
    await Promise.all(writers);
  }
}
