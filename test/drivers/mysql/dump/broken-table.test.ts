import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type MariadbServer, startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';
import { runNow } from './run-now.ts';

const args = ['--log-bin', '--server-id=5'];

/** What is done to a table `bad`, and how the backup tells. */
const damages: Record<string, { make: string; damage: (server: MariadbServer, files: string) => void }> = {
  'a merge of a table that is gone': {
    make: 'CREATE TABLE one (a INT) ENGINE=MyISAM; CREATE TABLE bad (a INT) ENGINE=MERGE UNION=(one)',
    damage: (server) => runNow(server, 'FLUSH TABLES; DROP TABLE shop.one'),
  },
  'a merge of a table that was altered': {
    make: 'CREATE TABLE one (a INT) ENGINE=MyISAM; CREATE TABLE bad (a INT) ENGINE=MERGE UNION=(one)',
    damage: (server) => runNow(server, 'FLUSH TABLES; ALTER TABLE shop.one ADD x INT'),
  },
  'no file of rows': {
    make: 'CREATE TABLE bad (a INT) ENGINE=MyISAM; INSERT INTO bad VALUES (1)',
    damage: (server, files) => {
      runNow(server, 'FLUSH TABLES');
      rmSync(join(files, 'bad.MYD'));
    },
  },
  'a file of keys that is none': {
    make: 'CREATE TABLE bad (a INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO bad VALUES (1)',
    damage: (server, files) => {
      runNow(server, 'FLUSH TABLES');
      writeFileSync(join(files, 'bad.MYI'), 'garbage', { flag: 'r+' });
    },
  },
};

test('a table that the server cannot read costs itself and is named, whatever the server says', async (t) => {
  const server = await startMariadb(t, { args });
  const repository = await TestRepository.make(t);
  for (const [name, { make, damage }] of Object.entries(damages)) {
    await server.query('CREATE OR REPLACE DATABASE shop');
    await server.query(`CREATE TABLE good (i INT PRIMARY KEY); INSERT INTO good VALUES (1), (2); ${make}`, 'shop');
    const files = join(server.folder, 'data', 'shop');
    const { facts } = (
      await repository.backup(server, { include: ['shop'], step: onceReading(() => damage(server, files)) })
    ).result;
    const found = facts.contents.filter((one) => one.kind === 'table').map((one) => [one.name, one.rows]);
    assert.ok(
      found.some(([table, rows]) => table === 'good' && rows === 2),
      name,
    );
    assert.ok(!found.some(([table]) => table === 'bad'), name);
    assert.equal(facts.partial, true, name);
    assert.match(facts.warnings.join('\n'), /not in this backup: table shop\.bad: /, name);
  }
});

test('Aria tables that are altered while a backup runs are read later, each alone', async (t) => {
  const server = await startMariadb(t, { args });
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE aa (i INT PRIMARY KEY) ENGINE=Aria; CREATE TABLE ab LIKE aa;
    CREATE TABLE i (i INT PRIMARY KEY); INSERT INTO aa VALUES (1); INSERT INTO ab VALUES (1), (2); INSERT INTO i VALUES (1)`);
  const repository = await TestRepository.make(t);
  const step = onceReading(() => {
    runNow(server, ['aa', 'ab', 'i'].map((one) => `ALTER TABLE shop.${one} ADD x INT`).join(';'));
  });
  const { facts } = (await repository.backup(server, { step })).result;
  const tables = facts.contents.filter((one) => one.kind === 'table');
  assert.deepEqual(tables.map((one) => [one.name, one.rows]).sort(), [
    ['aa', 1],
    ['ab', 2],
    ['i', 1],
  ]);
  assert.equal(facts.partial, true);
  assert.match(facts.warnings.join('; '), /read whole at a later moment: shop\./);
});

/** After the tables were described, and before the first is read. */
function onceReading(work: () => void): (step: string) => void {
  let done = false;
  return (step) => {
    if (done || !step.startsWith('reading ')) return;
    done = true;
    work();
  };
}
