import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatternRelations } from '../../../core/driver/index.ts';
import { hasCode } from '../../../core/error.ts';
import { type Candidate, makeRestorePlan, planWith, type RestoreWish } from '../../../core/restore/index.ts';
import { files } from '../../../drivers/files/index.ts';
import { mysql } from '../../../drivers/mysql/index.ts';

const patterns: Record<string, PatternRelations> = { mysql: mysql.patterns!, files: files.patterns! };

type Change = Partial<Candidate> & { readonly include?: readonly string[]; readonly exclude?: readonly string[] };

/** A backup of this day of November, made by the plan `name`, which selects so. */
function backup(day: number, name: string, { include = [], exclude = [], ...rest }: Change = {}): Candidate {
  const id = `01${String(day).padStart(2, '0')}-${name}${rest.partial ? '-partial' : ''}`;
  return {
    id,
    destination: 'nas',
    snapshot: `snapshot of ${id}`,
    plan: name,
    source: 'shop',
    driver: 'mysql',
    consistentAt: new Date(Date.UTC(2026, 10, day, 3)),
    partial: false,
    selection: { include, exclude },
    ...rest,
  };
}

function plan(candidates: readonly Candidate[], wish: Partial<RestoreWish> = {}) {
  const options = { only: [], overwrite: false, verify: false, keepDamaged: false, target: { folder: '/x' } };
  return makeRestorePlan(candidates, { ...options, source: 'shop', ...wish }, (driver) => patterns[driver]!);
}

interface Case {
  readonly given: readonly Candidate[];
  readonly wish?: Partial<RestoreWish>;
  readonly chosen: string;
  readonly why: RegExp;
  /** Ids, with `=` in front of those that a person is asked about. */
  readonly others?: readonly string[];
}

const orders = { include: ['shop.orders'] };

const cases: Readonly<Record<string, Case>> = {
  'the newest of one plan': {
    given: [backup(1, 'full'), backup(3, 'full'), backup(2, 'full')],
    chosen: '0103-full',
    why: /^the newest$/,
  },
  'the newest is partial': {
    given: [backup(3, 'full', { partial: true }), backup(2, 'full'), backup(1, 'full')],
    chosen: '0102-full',
    why: /^the newest whole one/,
    others: ['=0103-full-partial'],
  },
  'none is whole': {
    given: [backup(3, 'full', { partial: true }), backup(2, 'full', { partial: true })],
    chosen: '0103-full-partial',
    why: /^the newest; it is partial$/,
  },
  'an older partial one is not worth a word': {
    given: [backup(3, 'full'), backup(2, 'full', { partial: true })],
    chosen: '0103-full',
    why: /^the newest$/,
  },
  'the newest is of a plan of few tables': {
    given: [backup(3, 'orders', orders), backup(2, 'full'), backup(1, 'full')],
    chosen: '0102-full',
    why: /^the newest that holds all that is asked for$/,
    others: ['0103-orders'],
  },
  'a partial one of everything goes before a whole one of little': {
    given: [backup(3, 'orders', orders), backup(2, 'full', { partial: true })],
    chosen: '0102-full-partial',
    why: /it is partial/,
    others: ['0103-orders'],
  },
  'few tables are all that is asked for': {
    given: [backup(3, 'orders', orders), backup(2, 'full')],
    wish: { only: ['shop.orders'] },
    chosen: '0103-orders',
    why: /^the newest$/,
  },
  'what is asked for is only in an older one': {
    given: [
      backup(4, 'orders', orders),
      backup(3, 'shop', { include: ['shop.*'] }),
      backup(1, 'crm', { include: ['crm'] }),
    ],
    wish: { only: ['crm.people'] },
    chosen: '0101-crm',
    why: /^the newest$/,
  },
  'a pattern with * needs one that is as wide': {
    given: [backup(3, 'orders', { include: ['shop.order*'] }), backup(2, 'shop', { include: ['shop.*'] })],
    wish: { only: ['shop.o*'] },
    chosen: '0102-shop',
    why: /holds all that is asked for/,
    others: ['0103-orders'],
  },
  'names of tables differ in case': {
    given: [backup(3, 'shop', { include: ['Shop.*'] }), backup(2, 'lower', { include: ['shop.*'] })],
    wish: { only: ['shop.orders'] },
    chosen: '0102-lower',
    why: /^the newest$/,
  },
  'a database stands for its tables': {
    given: [backup(3, 'shop', { include: ['shop'] })],
    wish: { only: ['shop.*'] },
    chosen: '0103-shop',
    why: /^the newest$/,
  },
  'an exclusion of what is asked for': {
    given: [backup(3, 'lean', { exclude: ['shop.log*'] }), backup(2, 'full')],
    wish: { only: ['shop.*'] },
    chosen: '0102-full',
    why: /holds all/,
    others: ['0103-lean'],
  },
  'an exclusion of something else': {
    given: [backup(3, 'lean', { exclude: ['shop.log*'] }), backup(2, 'full')],
    wish: { only: ['shop.orders'] },
    chosen: '0103-lean',
    why: /^the newest$/,
  },
  'none holds all, one holds more than the others': {
    given: [backup(3, 'orders', orders), backup(2, 'lean', { exclude: ['shop.log', 'shop.tmp*'] })],
    chosen: '0102-lean',
    why: /^the newest of those that hold most; it holds everything without shop\.log, shop\.tmp\*$/,
    others: ['0103-orders'],
  },
  'each holds another part': {
    given: [backup(3, 'orders', orders), backup(2, 'crm', { include: ['crm.*'] })],
    chosen: '0103-orders',
    why: /hold most; it holds shop\.orders$/,
    others: ['=0102-crm'],
  },
  'two plans at one moment': {
    given: [backup(3, 'full'), backup(3, 'twin'), backup(2, 'full')],
    chosen: '0103-twin',
    why: /^the newest/,
    others: ['=0103-full'],
  },
  'a plan that was narrowed: its older ones hold what is asked for': {
    given: [backup(3, 'shop', orders), backup(2, 'shop'), backup(1, 'shop')],
    wish: { only: ['shop.people'] },
    chosen: '0102-shop',
    why: /^the newest$/,
  },
  'a named one is taken as it is': {
    given: [backup(1, 'orders', { ...orders, partial: true })],
    wish: { backup: '0101' },
    chosen: '0101-orders-partial',
    why: /^it was named; it is partial; it holds shop\.orders$/,
  },
  'a folder stands for all below it': {
    given: [
      backup(3, 'www', { driver: 'files', include: ['/srv/www'] }),
      backup(2, 'all', { driver: 'files', exclude: ['*.tmp'] }),
    ],
    wish: { only: ['/srv/www/site/index.html'] },
    chosen: '0103-www',
    why: /^the newest$/,
  },
  'a pattern at any depth is more than one folder': {
    given: [backup(3, 'www', { driver: 'files', include: ['/srv/www'] }), backup(2, 'all', { driver: 'files' })],
    wish: { only: ['*.conf'] },
    chosen: '0102-all',
    why: /holds all/,
    others: ['0103-www'],
  },
};

for (const [name, { given, wish, chosen, why, others = [] }] of Object.entries(cases)) {
  test(name, () => {
    for (const candidates of [given, given.toReversed()]) {
      const made = plan(candidates, wish);
      assert.deepEqual(
        [made.backup.id, made.alternatives.map((one) => `${one.isEqual ? '=' : ''}${one.backup.id}`)],
        [chosen, others],
        made.why,
      );
      assert.match(made.why, why);
      assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
    }
  });
}

test('when no backup can hold it, that is said with what they hold', () => {
  const given = [backup(2, 'shop', { include: ['shop.*'], exclude: ['shop.log'] })];
  for (const only of [['crm.*'], ['shop.log'], ['Shop.orders']]) {
    assert.throws(
      () => plan(given, { only }),
      (error) => hasCode(error, 'BACKUP_NOT_FOUND') && /holds shop\.\* without shop\.log/.test(error.hint ?? ''),
    );
  }
});

test('a choice by hand keeps everything but the backup', () => {
  const made = plan(cases['each holds another part']!.given, { overwrite: true });
  const other = planWith(made, made.alternatives[0]!);
  assert.deepEqual([other.backup.id, other.overwrite, other.alternatives], ['0102-crm', true, []]);
});
