import type { DatabaseFacts, ObjectFacts, TableFacts } from '../format/contents.ts';
import { systemDatabases } from '../inventory/selection.ts';
import type { Existing } from './existing.ts';
import { itemName, type LoadLedger } from './ledger.ts';
import type { Chosen } from './look.ts';
import { triggersOf } from './object-load.ts';

/**
 * What is left of `chosen` on a server that tells no names apart by their case (`lower_case_table_names` 1 or 2): there
 * `V` takes the place of `v`, and `D` and `d` are one database. None of such twins is made, so that no order decides
 * which of them is there; the ledger names each. On other servers all is left.
 */
export function withoutTwins(chosen: Chosen, { hasCase }: Existing, ledger: LoadLedger): Chosen {
  if (hasCase) return chosen;
  const { databases, tables, objects } = chosen;
  const clashes = new Map([...clashesOf(databases), ...clashesOf([...tables, ...objects.filter(sharesNames)])]);
  const twins = new Map(databases.flatMap((one) => (clashes.has(one) ? [[one.database, clashes.get(one)!]] : [])));
  const isLeft = (one: Facts) => {
    const clash = twins.get(one.database) ?? clashes.get(one);
    if (clash !== undefined) refuse(ledger, one, clash);
    return clash === undefined;
  };
  return {
    ...chosen,
    databases: databases.filter(isLeft),
    tables: tables.filter(isLeft),
    objects: objects.filter(isLeft),
  };
}

type Facts = DatabaseFacts | TableFacts | ObjectFacts;

/** Of those whose name another has, too, but for its case: what that is. */
function clashesOf(all: readonly Facts[]): Map<Facts, string> {
  const groups = Map.groupBy(all, foldedName);
  const clashes = new Map<Facts, string>();
  for (const [name, group] of groups) {
    const isOfServer = group[0]!.kind === 'database' && systemDatabases.includes(name);
    for (const one of group) {
      const others = group.filter((other) => other !== one).map(itemName);
      if (isOfServer) clashes.set(one, "the server's own database");
      else if (others.length > 0) clashes.set(one, others.join(' and '));
    }
  }
  return clashes;
}

/** The server never tells the names of routines and events apart by case, so that they have no twins. */
function sharesNames({ kind }: ObjectFacts): boolean {
  return kind === 'view' || kind === 'sequence';
}

function foldedName(one: Facts): string {
  return `${one.database}${'name' in one ? `/${one.name}` : ''}`.toLowerCase();
}

function refuse(ledger: LoadLedger, one: Facts, clash: string): void {
  const detail = `this server does not tell names apart by case (lower_case_table_names), and it would be one with ${clash}`;
  ledger.fail(one, { why: 'refused', detail });
  if (one.kind !== 'table') return;
  ledger.set(one, 'refused');
  if (one.hasTriggers) ledger.fail(triggersOf(one), { why: 'refused', detail });
}
