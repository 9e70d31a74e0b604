import { firstOf } from '../../../core/first-of.ts';
import type { TableFacts } from '../format/contents.ts';
import type { Connection } from '../protocol/connection.ts';
import { storedColumns } from '../rows/column.ts';
import type { Look } from './look.ts';

/** By table what the target does not know and the table needs: `storage engine ROCKSDB`. */
export type Lacks = ReadonlyMap<TableFacts, string>;

/**
 * Foretells what the server will refuse, so that a person hears of it before the first row. Collations are in the
 * definitions only, which are read when the backup is of another kind of server.
 */
export async function readLacks(look: Look): Promise<Lacks> {
  const { control, chosen } = look;
  const names = (sql: string) => namesOf(control, sql);
  const engines = await names(
    "SELECT engine AS name FROM information_schema.engines WHERE support IN ('YES', 'DEFAULT')",
  );
  const charsets = canonical(await names('SELECT character_set_name AS name FROM information_schema.character_sets'));
  const collated = await needCollation(look, canonical(await collationNames(control)));
  const isUnknown = (charset: string | null) => charset !== null && !charsets.has(canonicalName(charset));
  const lacks = new Map<TableFacts, string>();
  for (const table of chosen.tables) {
    const charset = storedColumns(table.columns).find((one) => isUnknown(one.charset));
    if (!engines.has(table.engine.toLowerCase())) lacks.set(table, `storage engine ${table.engine}`);
    else if (charset !== undefined) lacks.set(table, `character set ${charset.charset}`);
    else if (collated.has(table)) lacks.set(table, `collation ${collated.get(table)}`);
  }
  return lacks;
}

/** `the target lacks storage engine ROCKSDB, so these will not be restored: shop.a, shop.b`. */
export function lackTexts(lacks: Lacks): string[] {
  const tables = new Map<string, string[]>();
  for (const [{ database, name }, what] of lacks)
    tables.set(what, [...(tables.get(what) ?? []), `${database}.${name}`]);
  return [...tables].map(([what, names]) => `the target lacks ${what}, which these need: ${firstOf(names, listed)}`);
}

const listed = 10;

/** In lower case, as the server calls them. */
export async function collationNames(control: Connection): Promise<Set<string>> {
  return namesOf(control, await collationsSql(control));
}

/** `utf8` and `utf8_bin` are older names of `utf8mb3` and `utf8mb3_bin`: servers list the one and take both. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/^utf8(?=_|$)/, 'utf8mb3');
}

function canonical(names: ReadonlySet<string>): Set<string> {
  return new Set([...names].map(canonicalName));
}

async function namesOf(control: Connection, sql: string): Promise<Set<string>> {
  return new Set((await control.rows(sql)).map((row) => row.name!.toLowerCase()));
}

/** MariaDB lists some collations without the character set that their names begin with. */
async function collationsSql(control: Connection): Promise<string> {
  const from = 'information_schema.collation_character_set_applicability';
  const full = await control.rows(`SHOW COLUMNS FROM ${from} LIKE 'full_collation_name'`);
  return `SELECT ${full.length > 0 ? 'full_collation_name' : 'collation_name'} AS name FROM ${from}`;
}

const quoted = /'(?:[^'\\]|''|\\.)*'|`[^`]*`/gs;

async function needCollation(look: Look, known: ReadonlySet<string>): Promise<Map<TableFacts, string>> {
  const needed = new Map<TableFacts, string>();
  const { flavour, version } = look.manifest;
  if (flavour === look.server.flavour && version === look.server.version) return needed;
  for (const table of look.chosen.tables) {
    look.request.signal.throwIfAborted();
    const text = (await look.files.textOf(`${table.path}/schema.sql`)).replaceAll(quoted, '');
    const all = [...text.matchAll(/\bCOLLATE[= ](\w+)/g)].map(([, name]) => name!);
    const unknown = all.find((name) => !known.has(canonicalName(name)));
    if (unknown !== undefined) needed.set(table, unknown);
  }
  return needed;
}
