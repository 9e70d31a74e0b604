import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('a target that stores other values than it is given never counts them as restored', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t), startMariadb(t)]);
  await source.query(`CREATE DATABASE shop; USE shop;
    CREATE TABLE a (id INT PRIMARY KEY, word VARCHAR(9)); CREATE TABLE b (id INT, word VARCHAR(9));
    CREATE TABLE keyed (id INT PRIMARY KEY, word VARCHAR(9)); CREATE TABLE keyless (id INT, word VARCHAR(9));
    CREATE TABLE odd (id INT, word ENUM('one'));
    INSERT INTO a SELECT seq, 'four' FROM seq_1_to_200; INSERT INTO b SELECT * FROM a;
    INSERT INTO keyed SELECT * FROM a; INSERT INTO keyless SELECT * FROM a;
    SET sql_mode = ''; INSERT INTO odd VALUES (1, 'two'), (2, 'one')`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  /** What somebody else does to a table between its making and its loading. */
  const step = (text: string) => {
    const [, name] = /^loading shop\.(key.*)/.exec(text) ?? [];
    if (name === undefined) return;
    const sql = `ALTER TABLE shop.${name} MODIFY word VARCHAR(2)`;
    execFileSync('mariadb', ['--no-defaults', '--user=root', `--socket=${target.socket}`, '-e', sql]);
  };
  for (const how of ['LOAD DATA', 'INSERT']) {
    await t.test(`by ${how}`, async () => {
      await target.query(`SET GLOBAL local_infile = ${how === 'INSERT' ? 0 : 1}; DROP DATABASE IF EXISTS shop`);
      const { notRestored, items, warnings } = await repository.restore(id, target, { verify: false, step });
      assert.deepEqual(notRestored.map(({ item, why, detail }) => `${item} ${why} ${detail.split(',')[0]}`).sort(), [
        'table shop.keyed refused read back',
        'table shop.keyless refused read back',
      ]);
      assert.equal(items, 3); // what was warned about and is the same all the same is whole
      for (const table of ['keyed', 'keyless', 'odd'])
        assert.match(warnings.join('\n'), new RegExp(`shop\\.${table}: Data truncated for column 'word'`));
    });
  }
});

test('a row too large for one INSERT costs its table, and one that just fits is there', async (t) => {
  const limitBytes = 2 ** 20;
  const [source, target] = await Promise.all([
    startMariadb(t),
    startMariadb(t, { args: ['--local-infile=0', `--max-allowed-packet=${limitBytes}`] }),
  ]);
  const fits =
    limitBytes - Buffer.byteLength("\x03INSERT INTO `shop`.`fits` (`id`, `pad`) VALUES (_binary'2',_binary'')") - 2;
  await source.query(`CREATE DATABASE shop; USE shop; SET max_statement_time = 0;
    CREATE TABLE fits (id INT PRIMARY KEY, pad LONGTEXT); CREATE TABLE large LIKE fits; CREATE TABLE other LIKE fits;
    INSERT INTO fits VALUES (1, REPEAT('x', 400000)), (2, REPEAT('x', ${fits})), (3, REPEAT('x', 400000));
    INSERT INTO large VALUES (1, 'x'), (2, REPEAT('x', ${fits + 1})); INSERT INTO other VALUES (1, 'x')`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  const { items, notRestored } = await repository.restore(id, target);
  assert.deepEqual(
    notRestored.map(({ item, why }) => `${item} ${why}`),
    ['table shop.large refused'],
  );
  assert.match(notRestored[0]!.detail, /max_allowed_packet of the server is 1048576; the table is dropped again$/);
  assert.equal(items, 2);
});

test('what a server says is told in English, and once where it is said of several events', async (t) => {
  const [source, target] = await Promise.all([startMariadb(t), startMariadb(t, { args: ['--lc-messages=de_DE'] })]);
  await source.query(`CREATE DATABASE shop; USE shop; CREATE TABLE a (i INT); CREATE VIEW v AS SELECT * FROM a;
    CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY DO DO 1; CREATE EVENT e2 ON SCHEDULE EVERY 1 DAY DO DO 1`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  const { notRestored, warnings } = await repository.restore(id, target, { only: ['shop.v', 'shop.e*'] });
  assert.deepEqual(
    notRestored.map((one) => one.detail),
    ["Table 'shop.a' doesn't exist"],
  );
  assert.deepEqual(warnings, [
    'event shop.e1, shop.e2: Event scheduler is switched off, use SET GLOBAL event_scheduler=ON to enable it.',
  ]);
});
