import type { ObjectFacts, TableFacts } from '../format/contents.ts';
import { definerNeeds } from './definers.ts';
import { existingOf, hasDatabase } from './existing.ts';
import type { Look } from './look.ts';

/** A privilege without which a part of the restore would be refused. */
export interface Need {
  /** Any one of these will do; the first is the one to grant. */
  readonly privileges: readonly string[];
  /** Absent: on everything. */
  readonly database?: string;
  readonly name?: string;
  /** A sentence for the hint, where a grant is not the only way. */
  readonly hint?: string;
}

/**
 * What restoring the chosen takes, and no more than that: a restore that would work must not be refused. Definitions are
 * read only where the account lacks what some of them need.
 */
export async function readNeeds(look: Look): Promise<Need[]> {
  const { tables, objects } = look.chosen;
  return [
    ...databaseNeeds(look),
    ...tables.flatMap((table) => tableNeeds(look, table)),
    ...objects.flatMap((object) => objectNeeds(look, object)),
    ...(await foreignKeyNeeds(look)),
    ...(await definerNeeds(look, scriptsOfCode(look))),
    ...(await alterNeeds(look)),
    ...(await binlogNeeds(look)),
  ];
}

/** A database that is there is left as it is. */
function databaseNeeds({ existing, chosen }: Look): Need[] {
  const missing = chosen.databases.filter(({ database }) => !hasDatabase(existing, database));
  return missing.map(({ database }) => ({ privileges: ['CREATE'], database }));
}

function tableNeeds(look: Look, table: TableFacts): Need[] {
  const needs = ['CREATE', 'INSERT'];
  if (existingOf(look.existing, table) !== undefined) needs.push('DROP');
  if (look.request.verify) needs.push('SELECT');
  if (table.hasTriggers) needs.push('TRIGGER');
  return needs.map((privilege) => needOf(privilege, table));
}

function objectNeeds({ existing }: Look, object: ObjectFacts): Need[] {
  const replaces = existingOf(existing, object) !== undefined;
  if (object.kind === 'view') return ['CREATE VIEW', 'DROP'].map((one) => needOf(one, object)); // CREATE OR REPLACE
  if (object.kind === 'event') return [{ privileges: ['EVENT'], database: object.database }];
  if (object.kind === 'sequence') {
    return ['CREATE', 'INSERT', 'SELECT', ...(replaces ? ['DROP'] : [])].map((one) => needOf(one, object));
  }
  return ['CREATE ROUTINE', ...(replaces ? ['ALTER ROUTINE'] : [])].map((one) => needOf(one, object));
}

function needOf(privilege: string, { database, name }: { database: string; name: string }): Need {
  return { privileges: [privilege], database, name };
}

async function foreignKeyNeeds(look: Look): Promise<Need[]> {
  const tables = look.chosen.tables.filter(({ database }) => !look.grants.may('REFERENCES', database));
  const paths = await matching(
    look,
    tables.map(({ path }) => `${path}/schema.sql`),
    /^ {2}CONSTRAINT `.* FOREIGN KEY \(/m,
  );
  const databases = new Set(tables.filter(({ path }) => paths.has(`${path}/schema.sql`)).map((one) => one.database));
  return [...databases].map((database) => ({ privileges: ['REFERENCES'], database }));
}

/** A collation of the database that was another when its code was made, or is another at the target, is set for it. */
async function alterNeeds(look: Look): Promise<Need[]> {
  const scripts = scriptsOfCode(look).filter(({ database }) => !look.grants.may('ALTER', database));
  const paths = scripts.map(({ path }) => path);
  const found = await look.files.matching(paths, /^ALTER DATABASE /m, look.request.signal);
  const isOther = (database: string) => look.collations.get(database)?.code !== undefined;
  const altering = scripts.filter((one) => found.has(one.path) || (!one.isView && isOther(one.database)));
  return altering.map(({ database }) => ({ privileges: ['ALTER'], database }));
}

/** With a binary log, code that could write differently elsewhere is left to those who may do anything. */
async function binlogNeeds({ control, chosen, server }: Look): Promise<Need[]> {
  const logged = chosen.objects.some(({ kind }) => kind === 'function') || chosen.tables.some((one) => one.hasTriggers);
  if (!logged || !server.logsBinary) return [];
  const [trust] = await control.rows("SHOW GLOBAL VARIABLES LIKE 'log_bin_trust_function_creators'");
  if (trust?.Value === 'ON') return [];
  const hint =
    'Instead of SUPER, SET GLOBAL log_bin_trust_function_creators = 1 lets others make functions and triggers.';
  return [{ privileges: ['SUPER'], hint }];
}

function scriptsOfCode({ chosen }: Look): { path: string; database: string; isView: boolean }[] {
  const triggers = chosen.tables.filter((one) => one.hasTriggers);
  return [
    ...chosen.objects
      .filter(({ kind }) => kind !== 'sequence')
      .map(({ kind, path, database }) => ({ path, database, isView: kind === 'view' })),
    ...triggers.map(({ path, database }) => ({ path: `${path}/triggers.sql`, database, isView: false })),
  ];
}

function matching({ files, request }: Look, paths: readonly string[], pattern: RegExp): Promise<Set<string>> {
  return files.matching(paths, pattern, request.signal);
}
