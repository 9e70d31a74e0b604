import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BackupFacts } from '../../../../core/driver/index.ts';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';
import { runNow } from './run-now.ts';

const args = ['--log-bin', '--server-id=5'];
const settings = { parallel: 1 };
const swap = 'RENAME TABLE shop.x TO shop.t, shop.y TO shop.x, shop.t TO shop.y';

for (const engine of ['MyISAM', 'Aria']) {
  test(`two tables of ${engine} that are swapped between their readings are both in the backup`, async (t) => {
    const { partial, warnings } = await backupOfSwapped(t, engine, 0);
    assert.equal(partial, false, warnings.join('; '));
  });

  test(`two tables of ${engine} of different ages that are swapped are both in the backup`, async (t) => {
    assert.equal((await backupOfSwapped(t, engine, 2)).partial, true);
  });
}

test('where the swapping does not end, the tables are named', async (t) => {
  const server = await startMariadb(t, { args });
  await makeTwins(server, 'MyISAM');
  const repository = await TestRepository.make(t);
  const step = (text: string) => {
    if (text.startsWith('reading shop.')) runNow(server, swap);
  };
  const { facts } = (await repository.backup(server, { step, settings })).result;
  assert.equal(facts.partial, true);
  assert.match(facts.warnings.join('; '), /may be those of another of these: shop\.x, shop\.y/);
});

test('a table of InnoDB that has lost its definition is named', async (t) => {
  const server = await startMariadb(t, { args });
  await server.query(
    'CREATE DATABASE shop; CREATE TABLE shop.`c-7` (i INT); CREATE TABLE shop.good (i INT); FLUSH TABLES',
  );
  rmSync(join(server.folder, 'data', 'shop', 'c@002d7.frm'));
  const { facts } = (await (await TestRepository.make(t)).backup(server)).result;
  assert.match(facts.warnings.join('; '), /not in this backup: table shop\.c-7: InnoDB holds it/);
  assert.equal(facts.partial, true);
});

test('a view that is dropped and made all the time is told once', async (t) => {
  const server = await startMariadb(t, { args });
  await server.query('CREATE DATABASE shop; CREATE TABLE shop.good (i INT); CREATE VIEW shop.vw AS SELECT 1');
  const repository = await TestRepository.make(t);
  let done = false;
  const moving = (async () => {
    const connection = await server.connect({ database: 'shop' });
    while (!done) await connection.query('DROP VIEW vw').then(() => connection.query('CREATE VIEW vw AS SELECT 1'));
    await connection.end();
  })();
  for (let round = 0; round < 8; round++) {
    const { facts } = (await repository.backup(server)).result;
    const told = facts.warnings.filter((one) => one.includes('shop.vw'));
    assert.ok(told.length <= 1, told.join('; '));
    const isThere = facts.contents.some((one) => one.kind === 'view');
    assert.ok(!(isThere && told.length > 0), told.join('; '));
  }
  done = true;
  await moving;
});

/** Swaps the twins once, between their readings, and holds the backup against what they then are. */
async function backupOfSwapped(t: TestContext, engine: string, secondsBetween: number): Promise<BackupFacts> {
  const server = await startMariadb(t, { args });
  await makeTwins(server, engine, secondsBetween);
  const repository = await TestRepository.make(t);
  let reads = 0;
  const step = (text: string) => {
    if (text.startsWith('reading shop.') && ++reads === 2) runNow(server, swap);
  };
  const { facts } = (await repository.backup(server, { step, settings })).result;
  const rows = facts.contents.filter((one) => one.kind === 'table').map((one) => [one.name, one.rows]);
  assert.deepEqual(rows.sort(), [
    ['x', 20_001],
    ['y', 20_000],
  ]);
  return facts;
}

/** Of the same form, too large to be read together, and made so many seconds one after the other. */
async function makeTwins(server: MariadbServer, engine: string, secondsBetween = 0): Promise<void> {
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE x (i INT, v CHAR(255)) ENGINE=${engine};
    DO SLEEP(${secondsBetween}); CREATE TABLE y LIKE x;
    INSERT INTO x SELECT seq, REPEAT('x', 255) FROM seq_1_to_20000; INSERT INTO y SELECT seq, REPEAT('y', 255) FROM seq_1_to_20001`);
}
