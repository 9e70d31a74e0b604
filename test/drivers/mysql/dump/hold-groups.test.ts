import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdGroups } from '../../../../drivers/mysql/dump/hold-groups.ts';
import { type CensusEntry, keyOf } from '../../../../drivers/mysql/inventory/census.ts';
import type { TableEntry } from '../../../../drivers/mysql/inventory/inventory.ts';
import { startMariadb } from '../../../servers/mariadb.ts';
import { TestRepository } from '../repository.ts';
import { runNow } from './run-now.ts';

/** Of each table its number, its size in MiB where it is known, and the name that it has now where that is another. */
const cases: Record<string, [Record<string, [number, number?, string?]>, string[]]> = {
  'small ones together': [{ a: [1, 100], b: [2, 100], c: [3, 100], d: [4, 1] }, ['a b', 'c d']],
  'a large one alone': [{ a: [1, 1], b: [2, 1000], c: [3, 1] }, ['a', 'b', 'c']],
  'of unknown size': [{ a: [1, 1], b: [2], c: [3, 1] }, ['a', 'b', 'c']],
  'swapped, whatever their size': [{ d: [1, 900, 'old'], x: [3, 1], new: [2, 900, 'd'] }, ['d new', 'x']],
  'a ring': [{ a: [1, 900, 'b'], b: [2, 900, 'c'], c: [3, 900, 'a'] }, ['a b c']],
  'no numbers': [{ a: [0, 1], b: [0, 1] }, ['a b']],
};

test('what is read later is held in groups of a size, and what changed names with each other in one', () => {
  for (const [name, [tables, groups]] of Object.entries(cases)) {
    const wanted = Object.entries(tables).map(([table, [number]]) => entry(table, number));
    const now = Object.entries(tables).map(([table, [number, , other]]) => entry(other ?? table, number));
    const described = wanted.map((one) => ({ ...one, sizeBytesEstimate: (tables[one.name]![1] ?? 0) * 1024 * 1024 }));
    const known = described.filter((one) => tables[one.name]![1] !== undefined) as unknown as TableEntry[];
    const census = { entries: new Map(now.map((one) => [keyOf(one), one])), nameless: [], moving: false } as const;
    const found = holdGroups(wanted, { ...census, numbersAll: true, newestNumber: 9 }, known);
    assert.deepEqual(
      found.map((group) => group.map((one) => one.name).join(' ')),
      groups,
      name,
    );
  }
});

test('while a large table is read later, another that was read before it can be altered', async (t) => {
  const server = await startMariadb(t, { args: ['--log-bin', '--server-id=5'] });
  await server.query(`CREATE DATABASE shop; USE shop; CREATE TABLE a (i INT PRIMARY KEY) STATS_AUTO_RECALC=0; CREATE TABLE b LIKE a;
    INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2); ANALYZE TABLE a, b;
    UPDATE mysql.innodb_table_stats SET clustered_index_size = 20000 WHERE database_name = 'shop'`);
  await server.stop();
  await server.start(); // which believes in these sizes now
  const repository = await TestRepository.make(t);
  const read: string[] = [];
  let isLater = false;
  const step = (text: string) => {
    isLater ||= text.startsWith('reading again');
    const [, table] = /^reading (shop\..)$/.exec(text) ?? [];
    if (table === undefined || read.push(table) > (isLater ? 4 : 1)) return;
    if (!isLater) runNow(server, 'ALTER TABLE shop.a FORCE; ALTER TABLE shop.b FORCE');
    else if (read.length === 4) runNow(server, `SET lock_wait_timeout = 1; ALTER TABLE ${read[2]} FORCE`);
  };
  const { facts } = (await repository.backup(server, { step, settings: { parallel: 1 } })).result;
  assert.deepEqual(read, ['shop.a', 'shop.b', 'shop.a', 'shop.b']);
  const tables = facts.contents.filter((one) => one.kind === 'table');
  assert.deepEqual(
    tables.map((one) => [one.name, one.rows, one.later !== undefined]),
    [
      ['a', 1, true],
      ['b', 2, true],
    ],
  );
});

function entry(name: string, number: number): CensusEntry {
  return { database: 'shop', name, spaces: number === 0 ? [] : [`${number} shop/${name}`] };
}
