import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';

test('a comment of code that was made where no backslash escapes comes back as it was', async (t) => {
  const server = await startMariadb(t);
  await server.query(`CREATE DATABASE shop; USE shop; SET sql_mode = 'NO_BACKSLASH_ESCAPES';
    CREATE PROCEDURE p() COMMENT 'c:\\é ''\\n'' "\r\nCOMMENT \\' SELECT 'COMMENT \\';
    CREATE FUNCTION p() RETURNS INT COMMENT '\\' RETURN 1; CREATE PROCEDURE without() SELECT 'COMMENT \\';
    CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'e\\' DO SELECT 'COMMENT ''e\\\\''';
    SET sql_mode = ''; CREATE PROCEDURE slashed() COMMENT 'c\\\\' DO 1`);
  const before = await code(server);
  assert.match(JSON.stringify(before), /c:\\\\é '\\\\n'/);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(server);
  await server.query('DROP DATABASE shop');
  assert.equal((await repository.restore(id, server)).partial, false);
  assert.deepEqual(await code(server), before);
});

function code(server: { query(sql: string): Promise<unknown> }): Promise<unknown> {
  return server.query(`SELECT routine_name AS name, routine_type AS type, routine_comment AS comment, routine_definition AS body, sql_mode AS mode
    FROM information_schema.routines WHERE routine_schema = 'shop' UNION ALL
    SELECT event_name, 'EVENT', event_comment, event_definition, sql_mode FROM information_schema.events WHERE event_schema = 'shop' ORDER BY type, name`);
}
