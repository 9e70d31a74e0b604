import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { TestRepository } from '../../drivers/mysql/repository.ts';
import { mysql56, mysql97, startServer } from './server.ts';

test('code keeps the collation of its database in one of another, and what the target does not know is named', async (t) => {
  const [server, old] = [await startServer(t, mysql97), await startServer(t, mysql56)];
  const options = { multipleStatements: true, charset: 'utf8mb4' };
  const [root, oldRoot] = [await server.connect(options), await old.connect(options)];
  for (const one of [root, oldRoot]) await one.query('SET GLOBAL log_bin_trust_function_creators = 1');
  await root.query(`CREATE DATABASE shop CHARACTER SET latin1; ${bytesOf('shop')};
    CREATE DATABASE later COLLATE utf8mb4_0900_ai_ci; ${bytesOf('later')}`);
  const repository = await TestRepository.make(t);
  const { id } = await repository.backup(server);
  await root.query('DROP DATABASE shop; DROP DATABASE later; CREATE DATABASE shop COLLATE utf8mb4_bin');
  await oldRoot.query('CREATE DATABASE later COLLATE utf8mb4_bin; CREATE DATABASE shop CHARACTER SET latin1');

  const { partial, warnings } = await repository.restore(id, server);
  assert.deepEqual([partial, warnings.length], [false, 1]);
  assert.match(warnings[0]!, /^database shop: .* utf8mb4_bin, .* are made for latin1_swedish_ci$/);
  assert.equal(await bytes(root, 'shop'), 1);
  assert.equal(await bytes(root, 'later'), 2);
  assert.equal(await collation(root, 'shop'), 'utf8mb4_bin');

  const { notRestored } = await repository.restore(id, old);
  assert.deepEqual(
    notRestored.map(({ item, why }) => `${item} ${why}`),
    ['database later refused'],
  );
  assert.equal(await bytes(oldRoot, 'shop'), 1);
  assert.equal(await bytes(oldRoot, 'later'), 2);
  for (const one of [root, oldRoot]) await one.end();
});

function bytesOf(database: string): string {
  return `CREATE FUNCTION ${database}.bytes(x VARCHAR(10)) RETURNS INT DETERMINISTIC RETURN LENGTH(x)`;
}

async function bytes(connection: Connection, database: string): Promise<number> {
  const [[row]] = await connection.query<RowDataPacket[]>(`SELECT ${database}.bytes('ä') AS n`);
  return row!.n;
}

async function collation(connection: Connection, database: string): Promise<string> {
  const sql = `SELECT default_collation_name AS own FROM information_schema.schemata WHERE schema_name = '${database}'`;
  const [[row]] = await connection.query<RowDataPacket[]>(sql);
  return row!.own;
}
