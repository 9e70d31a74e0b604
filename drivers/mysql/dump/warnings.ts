import type { TableEntry } from '../inventory/inventory.ts';
import type { Missing } from '../inventory/privileges.ts';
import type { Ledger, Lost } from './ledger.ts';

/** For people, one line for each thing that is not as they may expect. */
export function warningsOf(ledger: Ledger, lost: readonly Lost[], missing: readonly Missing[]): string[] {
  const whole = [...ledger.whole.values()];
  const named = (which: (table: TableEntry) => boolean) =>
    whole.filter((one) => which(one.table)).map(({ table }) => `${table.database}.${table.name}`);
  const later = whole.filter((one) => one.facts.later !== undefined);
  return [
    ...list(
      named((one) => !one.transactional && !one.holdsNoRows),
      'not transactional, so not part of the consistent state',
    ),
    ...list(
      named((one) => one.holdsNoRows),
      'rows live elsewhere, only the definition is carried',
    ),
    ...list(
      named((one) => one.systemVersioned),
      'system-versioned, only the current rows are carried',
    ),
    ...list(
      [...ledger.doubted.values()].map(({ database, name }) => `${database}.${name}`),
      'not of InnoDB, and tables were renamed all the time: the rows may be those of another of these',
    ),
    ...list(
      [...ledger.beside.doubted.values()],
      'renamed all the time, or some of them: the definition may be that of another of these',
    ),
    ...list(
      later.map(({ facts }) => `${facts.database}.${facts.name} (of ${facts.later})`),
      'changed while the backup was made, so read whole at a later moment',
    ),
    ...missing.map(({ what, grant, why }) => `out of the account's sight (${what}), needed ${why}: ${grant}`),
    ...lost.map(({ what, why }) => `not in this backup: ${what}: ${why}`),
  ];
}

function list(names: readonly string[], text: string): string[] {
  return names.length === 0 ? [] : [`${text}: ${names.join(', ')}`];
}
