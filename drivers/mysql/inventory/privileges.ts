import { quoteName } from '../protocol/connection.ts';
import { isAtLeast, type Server } from '../server.ts';
import { accountText, type Grants } from './grants.ts';
import { isSystemDatabase, type Pattern, parsePattern, parseSelection, takesCode } from './selection.ts';

/*
 * What an account may not see is an empty list to it and no error. So what a selection needs is held against what is
 * granted, at every backup and at every probe.
 */

/** What an account may lack the sight of; a source's `allowMissing` names those that its backups do without. */
export const missables = [
  'databases',
  'tables',
  'columns',
  'views',
  'triggers',
  'events',
  'routines',
  'dictionary',
] as const;
export type Missable = (typeof missables)[number];

export interface Missing {
  readonly what: Missable;
  readonly privilege: string;
  /** The statement that mends it. */
  readonly grant: string;
  readonly why: string;
}

export interface Wish {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Every table and view that the account sees by name. */
  readonly visible: readonly { readonly database: string; readonly name: string }[];
  /** Every database that the account sees. */
  readonly databases: readonly string[];
}

/** Which privileges a backup of these needs and the account has not. */
export function missingPrivileges(grants: Grants, server: Server, wish: Wish): Missing[] {
  const missing = new Map<string, Missing>();
  const miss = (what: Missable, privilege: string, where: string) => {
    const grant = `GRANT ${privilege} ON ${where} TO ${accountText(grants.account)}`;
    missing.set(grant, { what, privilege, grant, why: reasons[what] });
  };
  if (!grants.may('PROCESS')) miss('dictionary', 'PROCESS', '*.*');
  for (const pattern of wish.include.length === 0 ? [parsePattern('*')] : wish.include.map(parsePattern)) {
    if (isOpen(pattern) && !seesAll(grants, pattern)) miss('databases', 'SHOW DATABASES', '*.*');
    for (const scope of scopesOf(pattern, wish, grants.revokedFrom)) {
      for (const need of needsOf(server)) {
        if (need.ofDatabase && scope.name !== undefined) continue;
        if (!need.isMet(grants, scope)) miss(...unmet(grants, need, scope), need.where ?? whereOf(scope));
      }
    }
  }
  for (const table of wish.visible) {
    const seesSome = grants.may(someColumns, table.database, table.name);
    if (seesSome && !grants.may('SELECT', table.database, table.name)) miss('columns', 'SELECT', whereOf(table));
  }
  return [...missing.values()];
}

const someColumns = 'SELECT (columns)';

const reasons: Record<Missable, string> = {
  databases: 'to know that no database is out of its sight',
  tables: 'to read every table',
  columns: 'to read every column',
  views: 'to read the definitions of views',
  triggers: 'to see triggers, which are not there for others',
  events: 'to see events, which are not there for others',
  routines: 'to see routines, which are not there for others',
  dictionary: 'to tell apart tables that are renamed or swapped, and to see long queries',
};

/** A database, or (with a name) one table, view or sequence. */
interface Scope {
  readonly database: string;
  readonly name?: string;
}

interface PrivilegeNeed {
  readonly what: Missable;
  readonly privilege: string;
  /** Not of tables: a selection by names does without, see `includesCode`. */
  readonly ofDatabase: boolean;
  /** Where to grant it, when not where it is missing. */
  readonly where?: string;
  isMet(grants: Grants, scope: Scope): boolean;
}

function needsOf(server: Server): PrivilegeNeed[] {
  const plain = (what: Missable, privilege: string, ofDatabase = false): PrivilegeNeed => ({
    what,
    privilege,
    ofDatabase,
    isMet: (grants, { database, name }) => grants.may(privilege, database, name),
  });
  return [
    plain('tables', 'SELECT'),
    plain('views', 'SHOW VIEW'),
    plain('triggers', 'TRIGGER'),
    plain('events', 'EVENT', true),
    { what: 'routines', ofDatabase: true, ...routineNeed(server) },
  ];
}

/** Who may run, make or change the routines of a database sees all their names; a body that is hidden is an error then. */
function routineNeed(server: Server): Pick<PrivilegeNeed, 'privilege' | 'where' | 'isMet'> {
  const isNew = isAtLeast(server, { mysql: 800 });
  const ofDatabase = ['EXECUTE', 'ALTER ROUTINE', 'CREATE ROUTINE', 'SHOW CREATE ROUTINE'];
  return {
    privilege: isNew ? 'SHOW_ROUTINE' : 'SELECT',
    where: isNew ? '*.*' : '`mysql`.`proc`',
    isMet: (grants, { database }) =>
      ofDatabase.some((one) => grants.may(one, database)) ||
      grants.may('SELECT') ||
      (isNew ? grants.may('SHOW_ROUTINE') : grants.may('SELECT', 'mysql', 'proc')),
  };
}

function unmet(grants: Grants, { what, privilege }: PrivilegeNeed, scope: Scope): [Missable, string] {
  const seesSome = scope.name !== undefined && grants.may(someColumns, scope.database, scope.name);
  return [what === 'tables' && seesSome ? 'columns' : what, privilege];
}

function isOpen({ databaseGlob }: Pattern): boolean {
  return databaseGlob.includes('*');
}

/** Any privilege on everything shows all databases; a grant on databases of a pattern shows those. */
function seesAll(grants: Grants, { databaseGlob }: Pattern): boolean {
  return (
    ['SHOW DATABASES', 'SELECT', 'EVENT', 'TRIGGER', 'SHOW VIEW'].some((one) => grants.may(one)) ||
    (databaseGlob !== '*' && grants.may('SELECT', databaseGlob))
  );
}

/** What a pattern stands for: the databases that are there, seen or `revoked` from sight, or else those that may be. */
function scopesOf(pattern: Pattern, { include, exclude, databases }: Wish, revoked: readonly string[]): Scope[] {
  const { touches } = parseSelection(include, exclude);
  const isWanted = (name: string) => !isSystemDatabase(name) && touches(name);
  const there = isOpen(pattern)
    ? [...new Set([...databases, ...revoked])].filter((name) => pattern.database.test(name) && isWanted(name))
    : [pattern.databaseGlob].filter(isWanted);
  const name = takesCode(pattern) ? undefined : pattern.nameGlob;
  const all = there.length === 0 && isOpen(pattern) ? [pattern.databaseGlob] : there;
  return all.map((database) => ({ database, name }));
}

/** In a grant on a database `_` and `%` stand for others. */
function whereOf({ database, name }: Scope): string {
  if (database.includes('*'))
    return database === '*' ? '*.*' : `${quoteName(database.replaceAll('_', '\\_').replaceAll('*', '%'))}.*`;
  if (name !== undefined) return `${quoteName(database)}.${quoteName(name)}`;
  return `${quoteName(database.replaceAll(/[_%]/g, '\\$&'))}.*`;
}
