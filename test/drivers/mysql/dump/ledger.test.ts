import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, lostOf } from '../../../../drivers/mysql/dump/ledger.ts';
import type { Started } from '../../../../drivers/mysql/dump/snapshot.ts';
import type { TablesRead } from '../../../../drivers/mysql/dump/table-dump.ts';
import { type Census, type CensusEntry, keyOf } from '../../../../drivers/mysql/inventory/census.ts';

/*
 * A server that never rests is not to be had at will: here are the looks that it would have given. A table is written as
 * its name and its numbers.
 */

type Tables = Record<string, number[]>;

/** Before and after the snapshots, what is whole, a last look, and what is lost. */
const cases: Record<string, [before: Tables, after: Tables, whole: Tables, last: Tables, lost: string[]]> = {
  'went away when the backup began': [{ a: [1], gone: [2] }, { a: [1] }, { a: [1] }, { a: [1] }, ['gone']],
  'renamed when the backup began': [{ a: [1] }, { b: [1] }, { b: [1] }, { b: [1] }, []],
  'came and went when the backup began': [{}, { a: [1] }, {}, {}, ['a']],
  'made after the moment': [{ a: [1] }, { a: [1] }, { a: [1] }, { a: [1], b: [2] }, []],
  'swapped, one table twice': [{ a: [1], b: [2] }, { a: [1], b: [2] }, { a: [1], b: [1] }, { a: [2], b: [1] }, ['b']],
  'made anew': [{ a: [1], b: [2] }, { a: [1], b: [2] }, { a: [1], b: [3] }, { a: [1], b: [3] }, []],
  'exchanged and dropped': [{ p: [1, 2], x: [3] }, { p: [1, 2], x: [3] }, { p: [3, 2] }, { p: [3, 2] }, ['p']],
  'a partition more': [{ p: [1] }, { p: [1] }, { p: [1] }, { p: [1, 2] }, []],
  'not numbered': [{ m: [], n: [] }, { m: [], n: [] }, { m: [] }, { m: [], n: [] }, ['n']],
};

test('what is lost follows from the looks at the server and what was read', () => {
  for (const [name, [before, after, whole, last, lost]] of Object.entries(cases)) {
    const ledger = new Ledger(started(before, after));
    ledger.add({ whole: censusOf(whole).entries.values().toArray().map(asRead), unread: [] });
    ledger.want(censusOf(last));
    assert.deepEqual(
      lostOf(ledger).map((one) => one.what),
      lost.map((one) => (one === 'n' ? 'table, view or sequence shop.n' : `table shop.${one}`)),
      name,
    );
  }
});

test('a view does not stand for the table whose name it got', () => {
  const ledger = new Ledger(started({ t: [1], v: [] }, { t: [1], v: [] }));
  for (const name of ['t', 'v']) {
    const key = `view ${keyOf({ database: 'shop', name })}`;
    ledger.beside.objects.set(key, { kind: 'view', database: 'shop', name, path: '' });
  }
  assert.deepEqual(
    lostOf(ledger).map((one) => one.what),
    ['table shop.t'],
  );
});

function started(before: Tables, after: Tables): Started {
  const inventory = { databases: [], undescribed: [], unreadable: [] };
  return { point: { time: '' }, before: censusOf(before), after: censusOf(after), inventory };
}

function censusOf(tables: Tables): Census {
  const entries = Object.entries(tables).map(([name, numbers]): [string, CensusEntry] => {
    const spaces = numbers.map((number) => `${number} shop/${name}`);
    return [keyOf({ database: 'shop', name }), { database: 'shop', name, spaces }];
  });
  const newestNumber = Math.max(0, ...Object.values(tables).flat());
  return { entries: new Map(entries), moving: false, nameless: [], numbersAll: true, newestNumber };
}

function asRead(table: CensusEntry): TablesRead['whole'][number] {
  return { table, facts: table } as unknown as TablesRead['whole'][number];
}
