import type { DatabaseFacts } from '../format/contents.ts';
import { type Connection, quoteName } from '../protocol/connection.ts';
import { type Existing, hasDatabase } from './existing.ts';
import { canonicalName, collationNames } from './lacks.ts';
import type { Item } from './ledger.ts';
import type { Load } from './work.ts';

/** The default collations of a database that was there before the restore. */
interface Collations {
  readonly own: string;
  readonly ofBackup: string;
  /** How the target calls the backup's; undefined where it does not know it. */
  readonly code: string | undefined;
}

/** By name, of the databases that are there with another default collation than the backup's. */
export type OtherCollations = ReadonlyMap<string, Collations>;

/**
 * Routines, triggers and events keep for good the default collation that their database has when they are made, and
 * compute with it. In a database of another collation they would be made other than they were.
 */
export async function readOtherCollations(
  control: Connection,
  databases: readonly DatabaseFacts[],
  existing: Existing,
): Promise<OtherCollations> {
  const found = databases.filter(({ database }) => hasDatabase(existing, database));
  if (found.length === 0) return new Map();
  const folded = (name: string) => (existing.hasCase ? name : name.toLowerCase());
  const rows = await control.rows(
    'SELECT schema_name AS name, default_collation_name AS collation FROM information_schema.schemata',
  );
  const owns = new Map(rows.map((row) => [folded(row.name!), row.collation!]));
  const known = new Map([...(await collationNames(control))].map((name) => [canonicalName(name), name]));
  const all = found.flatMap(({ database, collation: ofBackup }): [string, Collations][] => {
    const own = owns.get(folded(database));
    if (own === undefined || ofBackup === undefined || canonicalName(own) === canonicalName(ofBackup)) return [];
    return [[database, { own, ofBackup, code: known.get(canonicalName(ofBackup)) }]];
  });
  return new Map(all);
}

/** Names what `readOtherCollations` found. Code that cannot be made as it was makes the restore partial. */
export function tellOtherCollations({ collations, ledger }: Load, databasesOfCode: ReadonlySet<string>): void {
  for (const [database, { own, ofBackup, code }] of collations) {
    const item = { kind: 'database', database } as const;
    const is = `it is there with the default collation ${own}, which it keeps, not with ${ofBackup} as in the backup`;
    if (!databasesOfCode.has(database)) ledger.warn(item, is);
    else if (code !== undefined) ledger.warn(item, `${is}; routines, triggers and events are made for ${ofBackup}`);
    else {
      const detail = `${is} and which the target lacks: routines, triggers and events are made for ${own}`;
      ledger.fail(item, { why: 'refused', detail });
    }
  }
}

/** The statements that make this, in a database that has the collation of the backup's for so long. */
export function inItsCollation({ collations }: Load, item: Item, statements: readonly Buffer[]): readonly Buffer[] {
  const { own, code } = collations.get(item.database) ?? {};
  if (code === undefined || !isCode(item)) return statements;
  const alter = (to: string) => Buffer.from(`ALTER DATABASE ${quoteName(item.database)} COLLATE ${to}`);
  return [alter(code), ...statements, alter(own!)];
}

/** Whether it depends on the collation of its database. */
export function isCode({ kind }: Pick<Item, 'kind'>): boolean {
  return !['database', 'table', 'view', 'sequence'].includes(kind);
}
