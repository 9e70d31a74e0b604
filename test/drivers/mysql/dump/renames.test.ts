import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRenames, stood } from '../../../../drivers/mysql/dump/renames.ts';
import { openSession } from '../../../../drivers/mysql/protocol/session.ts';
import { waitFor } from '../../../kit/process.ts';
import { startMariadb } from '../../../servers/mariadb.ts';

const rename = 'RENAME TABLE x TO t, y TO x, t TO y';

/** How a statement that renames may come to the server. */
const ways = {
  plain: rename,
  'with a limit': `SET STATEMENT lock_wait_timeout = 60 FOR ${rename}`,
  'after a comment': `-- now\n/* or */ ${rename}`,
  'of a procedure': 'CALL p()',
  prepared: `PREPARE s FROM '${rename}'; EXECUTE s`,
  'as text': `EXECUTE IMMEDIATE '${rename}'`,
  altering: 'ALTER TABLE x RENAME TO x9',
  exchanging: 'ALTER TABLE part EXCHANGE PARTITION a WITH TABLE x',
};

test('a statement that may rename is seen while it waits, and counted from its beginning', async (t) => {
  const server = await startMariadb(t);
  const { socket: socketPath, user, password } = server;
  await using control = await openSession({ subject: 'sources.shop', socketPath, user, password });
  await server.query(`CREATE DATABASE shop; USE shop; CREATE PROCEDURE p() ${rename}; CREATE TABLE y (i INT);
    CREATE TABLE part (i INT) PARTITION BY LIST (i) (PARTITION a VALUES IN (1))`);
  for (const [way, sql] of Object.entries(ways)) {
    await server.query('DROP TABLE IF EXISTS x9; CREATE TABLE IF NOT EXISTS x (i INT)', 'shop');
    const [holder, mover] = [await server.connect({ database: 'shop' }), await server.connect({ database: 'shop' })];
    const before = await readRenames({ control });
    assert.equal(before.isRunning, false, way);
    await holder.query('LOCK TABLES x WRITE');
    const moving = mover.query(sql);
    await waitFor(`the statement ${way}`, async () => {
      const [row] = await server.query(
        "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table m%'",
      );
      return row !== undefined;
    });
    const meanwhile = await readRenames({ control });
    assert.equal(meanwhile.isRunning, true, way);
    assert.equal(stood(before, meanwhile), false, way);
    await holder.end();
    await moving;
    // The server may show a statement a little longer than until its answer.
    await waitFor('its end', async () => !(await readRenames({ control })).isRunning);
    const after = await readRenames({ control });
    assert.equal(after.count, meanwhile.count, `${way} is not counted when it ends`);
    assert.deepEqual([stood(meanwhile, after), stood(after, await readRenames({ control }))], [false, true], way);
    await mover.end();
  }
});

const harmless = [
  "SELECT 'rename', SLEEP(60)",
  "/* web */ SELECT 'exchange rates', SLEEP(60)",
  "-- for the shop\n/** of rates **/ (SELECT 'exchange', SLEEP(60))",
  "WITH a AS (SELECT 1) SELECT 'rename', SLEEP(60) FROM a",
];

test('a statement that only has the word in it is none that renames', async (t) => {
  const server = await startMariadb(t);
  const { socket: socketPath, user, password } = server;
  await using control = await openSession({ subject: 'sources.shop', socketPath, user, password });
  for (const sql of harmless) {
    const busy = await server.connect();
    const ended = busy.query(sql).catch(() => {});
    await waitFor(sql, async () => {
      const rows = await server.query("SELECT 1 FROM information_schema.processlist WHERE state = 'User sleep'");
      return rows.length > 0;
    });
    assert.equal((await readRenames({ control })).isRunning, false, sql);
    await server.query(`KILL ${busy.threadId}`);
    await ended;
    busy.destroy();
  }
});
