import { TidemarkError } from '../../../core/error.ts';

/** What is meant: `db.name` patterns in which `*` stands for any characters. */
export interface Selection {
  /** A table, view or sequence. */
  includes(database: string, name: string): boolean;
  /** A routine or event. Who selects by a name means a table, and need not see what else has that name. */
  includesCode(database: string, name: string): boolean;
  /** May anything in this database be meant? */
  touches(database: string): boolean;
}

/** A pattern without a dot means the whole database. Empty `include` means everything; `exclude` is of all kinds. */
export function parseSelection(include: readonly string[], exclude: readonly string[]): Selection {
  const wanted = include.map(parsePattern);
  const unwanted = exclude.map(parsePattern);
  const matches = (patterns: readonly Pattern[], database: string, name: string) =>
    patterns.some((one) => one.database.test(database) && one.name.test(name));
  const selects = (patterns: readonly Pattern[], database: string, name: string) =>
    (wanted.length === 0 || matches(patterns, database, name)) && !matches(unwanted, database, name);
  return {
    includes: (database, name) => selects(wanted, database, name),
    includesCode: (database, name) => selects(wanted.filter(takesCode), database, name),
    touches: (database) =>
      (wanted.length === 0 || wanted.some((one) => one.database.test(database))) &&
      !unwanted.some((one) => one.database.test(database) && one.isWhole),
  };
}

/** Whether routines and events are meant, too. */
export function takesCode({ nameGlob }: Pattern): boolean {
  return nameGlob.includes('*');
}

/** The databases of the server itself. Accounts and grants live there and are not carried. */
export const systemDatabases = ['information_schema', 'performance_schema', 'mysql', 'sys'];

/** Where names have case, `SYS` and `Mysql` are somebody's own; the server keeps the two that it makes up in any case. */
export function isSystemDatabase(name: string): boolean {
  return systemDatabases.includes(name) || /^(information|performance)_schema$/i.test(name);
}

export interface Pattern {
  readonly database: RegExp;
  readonly name: RegExp;
  readonly databaseGlob: string;
  readonly nameGlob: string;
  readonly isWhole: boolean;
}

/** Throws CONFIG_INVALID. */
export function parsePattern(text: string): Pattern {
  const dot = text.indexOf('.');
  const database = dot < 0 ? text : text.slice(0, dot);
  const name = dot < 0 ? '*' : text.slice(dot + 1);
  if (database === '' || name === '') {
    throw new TidemarkError('CONFIG_INVALID', `the pattern "${text}" does not name tables`, {
      hint: 'Write patterns as `database.table`, with `*` for any characters.',
    });
  }
  return {
    database: globToRegExp(database),
    name: globToRegExp(name),
    databaseGlob: database,
    nameGlob: name,
    isWhole: name === '*',
  };
}

function globToRegExp(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'su');
}
