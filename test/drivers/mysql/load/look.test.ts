import assert from 'node:assert/strict';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTidemarkError, type TidemarkError } from '../../../../core/error.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { type RestoreOptions, TestRepository } from '../repository.ts';

test('what would stop a restore midway is found before anything is touched', async (t) => {
  const [source, target] = await Promise.all([
    startMariadb(t),
    startMariadb(t, { args: ['--local-infile=1', '--log-bin'] }),
  ]);
  await source.query(schema);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(source);
  const refusal = async (options: RestoreOptions, into = target): Promise<TidemarkError> => {
    const error = await repository
      .restore(id, into, options)
      .then(() => assert.fail('it was not refused'), asTidemarkError);
    assert.deepEqual(await into.query("SHOW DATABASES LIKE 'shop'"), [], error.message);
    return error;
  };
  await target.query('SET GLOBAL log_bin_trust_function_creators = 1');

  await t.test('each privilege, one at a time, and none too many', async () => {
    const all = [...onShop, 'SET USER'];
    for (const missing of all) {
      const { code, message, hint } = await refusal(
        await asAccount(
          target,
          all.filter((one) => one !== missing),
        ),
      );
      const where = onShop.includes(missing) ? '`shop`.*' : '*.*';
      assert.equal(code, 'TARGET_DENIED', missing);
      assert.match(
        message,
        new RegExp(
          `^nothing was restored: the account low@localhost lacks ${missing} on ${where.replace(/[.*]/g, '\\$&')}$`,
        ),
      );
      assert(hint?.startsWith(`Run: GRANT ${missing} ON ${where} TO 'low'@'localhost';`), hint);
    }
    const { partial, notRestored } = await repository.restore(id, target, await asAccount(target, all));
    assert.deepEqual([partial, notRestored], [false, []]);
    await target.query('DROP DATABASE shop');
  });

  await t.test('all that is missing at once, with the statements that grant it', async () => {
    const { message, hint } = await refusal(
      await asAccount(target, ['INSERT', 'CREATE VIEW', 'DROP', 'ALTER', 'SELECT']),
    );
    assert.match(
      message,
      /lacks CREATE, TRIGGER, CREATE ROUTINE, EVENT, REFERENCES on `shop`\.\*, SET USER on \*\.\*$/,
    );
    for (const statement of hint!.split('Run: ')[1]!.split(';').slice(0, -1)) await target.query(statement);
    assert.equal((await repository.restore(id, target, low)).partial, false);
    await target.query('DROP DATABASE shop');
  });

  await t.test('SUPER, where a binary log is kept and nobody else is trusted', async () => {
    await target.query('SET GLOBAL log_bin_trust_function_creators = 0');
    const { message, hint } = await refusal(await asAccount(target, [...onShop, 'SET USER']));
    assert.match(message, /lacks SUPER on \*\.\*$/);
    assert.match(hint!, /SET GLOBAL log_bin_trust_function_creators = 1/);
    await target.query('SET GLOBAL log_bin_trust_function_creators = 1');
  });

  await t.test('own definers need no more privilege, a narrower selection less', async () => {
    const account = await asAccount(target, ['CREATE', 'INSERT', 'SELECT', 'CREATE ROUTINE', 'ALTER']);
    const only = ['shop.parent', 'shop.own'];
    assert.equal((await repository.restore(id, target, { ...account, only })).partial, false);
    await target.query('DROP DATABASE shop');
  });

  await t.test('what replaces needs DROP', async () => {
    await repository.restore(id, target, { only: ['shop.parent'] });
    const account = await asAccount(target, ['CREATE', 'INSERT', 'SELECT']);
    const options = { ...account, only: ['shop.parent'], overwrite: true };
    const error = await repository.restore(id, target, options).then(() => assert.fail(), asTidemarkError);
    assert.match(error.message, /lacks DROP on `shop`\.\*$/);
    await target.query('DROP DATABASE shop');
  });

  await t.test('a read-only server, but not a session that is read-only by default', async () => {
    await target.query('SET GLOBAL read_only = 1');
    const { code, message } = await refusal(await asAccount(target, ['CREATE', 'INSERT', 'SELECT', 'SUPER']));
    assert.equal(code, 'TARGET_DENIED');
    assert.match(message, /the server is read-only \(read_only\); the account low@localhost lacks/);
    await target.query('SET GLOBAL read_only = 0; SET GLOBAL tx_read_only = 1');
    assert.equal((await repository.restore(id, target)).partial, false);
    await target.query('SET tx_read_only = 0; SET GLOBAL tx_read_only = 0; DROP DATABASE shop');
  });

  await t.test('too little disk, where the disk can be seen', async (t) => {
    const folder = await smallDisk(t, 120 * 1024 * 1024);
    const small = await startMariadb(t, { folder, args: ['--local-infile=1'] });
    const { bavail, bsize } = await statfs(folder);
    await writeFile(join(folder, 'filler'), Buffer.alloc(bavail * bsize - 4 * 1024 * 1024));
    const { code, message, hint } = await refusal({}, small);
    assert.equal(code, 'TARGET_FAILED');
    assert.match(message, /^nothing was restored: .* has \d MiB left, and the rows take \d+ MiB at the very least$/);
    assert.match(hint!, /Make room/);
    await small.stop('SIGKILL');
  });
});

const low = { settings: { user: 'low', password: 'x' } };
const onShop = [
  'CREATE',
  'INSERT',
  'DROP',
  'ALTER',
  'SELECT',
  'REFERENCES',
  'TRIGGER',
  'EVENT',
  'CREATE ROUTINE',
  'CREATE VIEW',
];

/** The options of a restore by an account that may do this and no more. */
async function asAccount(server: MariadbServer, privileges: readonly string[]): Promise<RestoreOptions> {
  const local = privileges.filter((one) => onShop.includes(one));
  const global = privileges.filter((one) => !onShop.includes(one));
  await server.query(
    `CREATE OR REPLACE USER low@localhost IDENTIFIED BY 'x'; GRANT ${local.join(', ')} ON shop.* TO low@localhost`,
  );
  if (global.length > 0) await server.query(`GRANT ${global.join(', ')} ON *.* TO low@localhost`);
  return low;
}

const schema = `CREATE DATABASE shop COLLATE utf8mb4_bin; USE shop;
  CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1);
  CREATE SEQUENCE numbers;
  CREATE TABLE child (id INT PRIMARY KEY DEFAULT (NEXTVAL(numbers)), p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id));
  INSERT INTO child VALUES (1, 1);
  CREATE TABLE large (id INT PRIMARY KEY, pad TEXT); INSERT INTO large SELECT seq, REPEAT('x', 1000) FROM seq_1_to_30000;
  CREATE VIEW both_of AS SELECT parent.id FROM parent JOIN child ON p = parent.id;
  CREATE TRIGGER counted BEFORE INSERT ON child FOR EACH ROW SET @n = @n + 1;
  CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
  CREATE PROCEDURE nothing() SELECT 1; CREATE DEFINER=low@localhost PROCEDURE own() SELECT 1;
  CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1;
  ALTER DATABASE shop COLLATE utf8mb4_general_ci`;
