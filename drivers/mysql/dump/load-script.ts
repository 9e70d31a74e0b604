import type { DatabaseFacts, Entry, ObjectFacts, TableFacts } from '../format/contents.ts';
import { loadStatement } from '../format/layout.ts';
import { sessionStatements } from '../format/sql-script.ts';
import { keyOf } from '../inventory/census.ts';
import { standInView } from '../inventory/definitions.ts';
import type { DatabaseEntry } from '../inventory/inventory.ts';

/** `load.sql` of one table, run from the root of the backup: `mariadb --local-infile=1 < databases/shop/orders/load.sql`. */
export function tableLoadScript(table: TableFacts): Buffer {
  const loads = table.files.map((file) => loadStatement(table, `${table.path}/${file.name}`));
  return lines([...sessionLines, ...loads.map((one) => `${one};`)]);
}

/**
 * The root's `load.sql`: everything, with the stock client. Definitions before rows, sequences before tables that use
 * them, routines before views, stand-ins before views so that views may refer to each other, triggers and events last
 * so that nothing fires while rows are loaded.
 */
export function rootLoadScript(
  entries: readonly Entry[],
  described: readonly DatabaseEntry[],
  flavour: 'mariadb' | 'mysql',
): Buffer {
  const tables = entries.filter((one): one is TableFacts => one.kind === 'table');
  const databases = entries.filter((one): one is DatabaseFacts => one.kind === 'database');
  const ofKind = (...kinds: string[]) =>
    entries.filter((one): one is ObjectFacts => kinds.includes(one.kind)).map((one) => one.path);
  const stored = new Set(entries.flatMap((one) => (one.kind === 'view' ? [keyOf(one)] : [])));
  const run = (paths: readonly string[]) => paths.map((path) => `\\. ${path}`);
  return lines([
    '-- Restores this backup: cd here, then: mariadb --local-infile=1 --comments < load.sql',
    '-- (with the client of MySQL 9: mysql --commands --local-infile=1 --comments < load.sql)',
    '-- (without --comments the client takes comments out of routines and triggers)',
    ...sessionLines,
    ...(flavour === 'mariadb' ? ['SET SESSION check_constraint_checks = 0;'] : []),
    ...run(databases.map((one) => one.path)),
    ...run(ofKind('sequence')),
    ...described.flatMap(({ name, views }) =>
      views
        .filter((view) => stored.has(keyOf({ database: name, name: view.name })))
        .map((view) => `${standInView(name, view.name, view.columns)};`),
    ),
    ...run(tables.map((one) => `${one.path}/schema.sql`)),
    ...run(tables.filter((one) => one.files.length > 0).map((one) => `${one.path}/load.sql`)),
    ...run(ofKind('function', 'procedure', 'package', 'package body')),
    ...run(ofKind('view')),
    ...run(tables.filter((one) => one.hasTriggers).map((one) => `${one.path}/triggers.sql`)),
    ...run(ofKind('event')),
  ]);
}

const sessionLines = sessionStatements.map((one) => `${one};`);

function lines(all: readonly string[]): Buffer {
  return Buffer.from(`${all.join('\n')}\n`);
}
