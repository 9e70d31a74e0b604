import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { openServer, TestRepository } from '../../drivers/mysql/repository.ts';
import { type MatrixServer, type ServerKind, startServer } from './server.ts';

/** What the mysql driver does with every kind of server: it looks, backs up, and what it restores is equal. */
export function driverContract(kind: ServerKind, shop: readonly string[]): void {
  test(`${kind.name}: what was backed up comes back equal`, async (t) => {
    const server = await startServer(t, kind);
    await run(server, shop);
    const before = await picture(server);
    assert(before.size >= 20);

    await t.test('looked at', async () => {
      await using session = await openServer(server);
      const { version, problems } = await session.probe(new AbortController().signal);
      assert.match(version, /^(MySQL|MariaDB) \d+\.\d+\.\d+$/);
      assert.deepEqual(problems, []);
    });

    const repository = await TestRepository.make(t);
    const { id, result } = await repository.backup(server);
    assert.equal(result.facts.partial, false, result.facts.warnings.join('; '));

    await t.test('by LOAD DATA', () => comesBack(server, repository, id, before));
    await t.test('by INSERT', async () => {
      await run(server, ['SET GLOBAL local_infile = 0']);
      await comesBack(server, repository, id, before);
    });
    await t.test('over what is there', async () => {
      await run(server, ['USE shop', 'DELETE FROM child', 'DROP VIEW a_view', 'DROP FUNCTION twice']);
      const { partial, notRestored } = await repository.restore(id, server, { overwrite: true });
      assert.deepEqual([partial, notRestored], [false, []]);
      assert.deepEqual(await picture(server), before);
    });
    await t.test('unchanged, it stores nothing again', async () => {
      const { addedBytes } = await repository.backup(server);
      assert(addedBytes < 100_000, `${addedBytes} bytes`);
    });
  });
}

async function comesBack(
  server: MatrixServer,
  repository: TestRepository,
  id: string,
  before: ReadonlyMap<string, unknown>,
): Promise<void> {
  await run(server, ['DROP DATABASE shop']);
  const { partial, notRestored, warnings } = await repository.restore(id, server);
  assert.deepEqual([partial, notRestored], [false, []]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(await picture(server), before);
}

async function run(server: MatrixServer, statements: readonly string[]): Promise<void> {
  const connection = await server.connect({ charset: 'utf8mb4' });
  for (const statement of statements) {
    await connection.query(statement).catch((cause) => {
      throw new Error(`${statement}: ${cause.message}`, { cause });
    });
  }
  await connection.end();
}

/** Every definition of `shop` and a checksum of every table, by name. */
async function picture(server: MatrixServer): Promise<Map<string, unknown>> {
  const connection = await server.connect({ charset: 'utf8mb4', dateStrings: true });
  const all = new Map<string, unknown>();
  const rows = async (sql: string) => (await connection.query<RowDataPacket[]>(sql))[0];
  await connection.query("USE shop; SET SESSION time_zone = '+00:00'");
  for (const { name, type } of await rows(
    "SELECT table_name AS name, table_type AS type FROM information_schema.tables WHERE table_schema = 'shop'",
  )) {
    const quoted = `\`${name.replaceAll('`', '``')}\``;
    all.set(`table ${name}`, withoutNoise(JSON.stringify(await rows(`SHOW CREATE TABLE ${quoted}`))));
    if (type === 'BASE TABLE') all.set(`rows ${name}`, await rows(`CHECKSUM TABLE ${quoted} EXTENDED`));
  }
  for (const list of lists)
    for (const { name, type } of await rows(list)) await addDefinition(connection, all, type, name);
  await connection.end();
  return all;
}

/** MySQL prints the character set beside a collation of its own or not, by how the definition was once written. */
function withoutNoise(definition: string): string {
  return definition.replaceAll(/ CHARACTER SET \w+ (?=COLLATE )/g, ' ');
}

const lists = [
  "SELECT routine_name AS name, routine_type AS type FROM information_schema.routines WHERE routine_schema = 'shop'",
  "SELECT trigger_name AS name, 'TRIGGER' AS type FROM information_schema.triggers WHERE trigger_schema = 'shop'",
  "SELECT event_name AS name, 'EVENT' AS type FROM information_schema.events WHERE event_schema = 'shop'",
  "SELECT schema_name AS name, 'DATABASE' AS type FROM information_schema.schemata WHERE schema_name = 'shop'",
];

async function addDefinition(connection: Connection, all: Map<string, unknown>, type: string, name: string) {
  const [[row]] = await connection.query<RowDataPacket[]>(`SHOW CREATE ${type} ${name}`);
  const { Created: _, ...rest } = row!;
  all.set(`${type} ${name}`, rest);
}
