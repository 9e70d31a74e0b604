import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { asTidemarkError } from '../../../core/error.ts';
import { TestRepository } from '../../drivers/mysql/repository.ts';
import { mariadb118, mysql56, mysql97, startServer } from './server.ts';

/** For foreign definers, one of whom is root and one of whom does not exist. */
const forDefiners = new Map([
  [mysql97, ['SET_ANY_DEFINER', 'SYSTEM_USER', 'ALLOW_NONEXISTENT_DEFINER']],
  [mysql56, ['SUPER']],
  [mariadb118, ['SET USER']],
]);

for (const [kind, onAll] of forDefiners) {
  test(`${kind.name}: what a restore needs to be allowed, and no more`, async (t) => {
    const server = await startServer(t, kind);
    const root = await server.connect();
    await root.query(schema);
    await root.query('SET GLOBAL log_bin_trust_function_creators = 1');
    const repository = await TestRepository.make(t);
    const { id } = await repository.backup(server);
    await root.query('DROP DATABASE shop');
    const restore = () => repository.restore(id, { ...server, user: 'low' as never, password: 'x' });

    for (const missing of [...onShop, ...onAll]) {
      await makeAccount(root, without(onShop, missing), without(onAll, missing));
      const { code, message } = await restore().then(() => assert.fail(`it went without ${missing}`), asTidemarkError);
      assert.equal(code, 'TARGET_DENIED', message);
      assert.match(message, new RegExp(`lacks ${missing} on \\S+$`));
    }
    await makeAccount(root, onShop, onAll);
    const { partial, notRestored } = await restore();
    assert.deepEqual([partial, notRestored], [false, []]);
    await root.end();
  });
}

const onShop = [
  'CREATE',
  'INSERT',
  'DROP',
  'SELECT',
  'REFERENCES',
  'TRIGGER',
  'EVENT',
  'CREATE ROUTINE',
  'CREATE VIEW',
];

/** It may also read who there is, else it could not know what its definers are. */
async function makeAccount(root: Connection, local: readonly string[], global: readonly string[]): Promise<void> {
  await root.query('DROP USER low@localhost').catch(() => {});
  await root.query("CREATE USER low@localhost IDENTIFIED BY 'x'; GRANT SELECT ON mysql.* TO low@localhost");
  await root.query(`GRANT ${local.join(', ')} ON shop.* TO low@localhost`);
  if (global.length > 0) await root.query(`GRANT ${global.join(', ')} ON *.* TO low@localhost`);
}

function without(all: readonly string[], one: string): string[] {
  return all.filter((other) => other !== one);
}

const schema = `CREATE DATABASE shop; USE shop;
  CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1);
  CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id)); INSERT INTO child VALUES (1, 1);
  CREATE DEFINER=ghost@nowhere VIEW haunted AS SELECT id FROM parent;
  CREATE VIEW both_of AS SELECT parent.id FROM parent JOIN child ON p = parent.id;
  CREATE TRIGGER counted BEFORE INSERT ON child FOR EACH ROW SET @n = @n + 1;
  CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
  CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1`;
