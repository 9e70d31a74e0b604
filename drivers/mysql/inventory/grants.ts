import type { Connection } from '../protocol/connection.ts';

/** What the account of a connection may do, as the server prints it. */
export interface Grants {
  /** As the server matched it: `tidemark@%`. */
  readonly account: string;
  /** On a table or routine, a whole database, or (without either) everywhere. Privileges on some columns do not count. */
  may(privilege: string, database?: string, name?: string): boolean;
}

/** MySQL lists what active roles give only when they are named; MariaDB adds them, and what everybody may. */
export async function readGrants(connection: Connection, flavour: 'mariadb' | 'mysql'): Promise<Grants> {
  const account = (await connection.row('SELECT CURRENT_USER() AS account'))?.account ?? '';
  const using = flavour === 'mysql' ? await activeRoles(connection) : '';
  const rows = await connection.rows(`SHOW GRANTS${using === '' ? '' : ` FOR CURRENT_USER() USING ${using}`}`);
  const lines = rows.map((row) => parseGrant(Object.values(row)[0] ?? '')).filter((line) => line !== undefined);
  return { account, may: (...what) => mayDo(lines, ...what) };
}

/** `'user'@'host'`, as GRANT takes it. */
export function accountText(account: string): string {
  const at = account.lastIndexOf('@');
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return `${quoted(account.slice(0, at))}@${quoted(account.slice(at + 1))}`;
}

async function activeRoles(connection: Connection): Promise<string> {
  const known = await connection.rows("SHOW VARIABLES LIKE 'activate_all_roles_on_login'"); // MySQL 8 has roles
  const roles = known.length === 0 ? undefined : (await connection.row('SELECT CURRENT_ROLE() AS roles'))?.roles;
  return roles === undefined || roles === null || roles === 'NONE' ? '' : roles;
}

interface GrantLine {
  /** A part of it is taken away from what is granted everywhere (MySQL's partial revokes). */
  readonly revokes: boolean;
  readonly privileges: ReadonlySet<string>;
  readonly database: RegExp | undefined;
  readonly name: string | undefined;
}

/** Undefined for grants of roles and proxies and on single routines. */
export function parseGrant(text: string): GrantLine | undefined {
  const part = '(\\*|`(?:[^`]|``)+`)';
  const [, verb, list, database, name] =
    new RegExp(`^(GRANT|REVOKE) (.+?) ON (?:TABLE )?${part}\\.${part} (?:TO|FROM) `).exec(text) ?? [];
  if (list === undefined) return undefined;
  return {
    revokes: verb === 'REVOKE',
    privileges: new Set(list.replaceAll(/\s*\([^)]*\)/g, ' (columns)').split(/,\s*/)),
    database: database === '*' ? undefined : patternOf(plainName(database!), name === '*'),
    name: name === '*' ? undefined : plainName(name!),
  };
}

function plainName(quoted: string): string {
  return quoted.slice(1, -1).replaceAll('``', '`');
}

/** In a grant on a whole database `%` and `_` stand for others, unless a backslash is before them. */
function patternOf(name: string, isPattern: boolean): RegExp {
  const literal = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  if (!isPattern) return new RegExp(`^${literal(name)}$`, 'su');
  const source = name.replaceAll(/\\([%_\\])|([%_])|([\s\S])/gu, (_, escaped, wild, other) =>
    wild === undefined ? literal(escaped ?? other) : wild === '%' ? '.*' : '.',
  );
  return new RegExp(`^${source}$`, 'su');
}

function mayDo(lines: readonly GrantLine[], privilege: string, database?: string, name?: string): boolean {
  const concerns = (line: GrantLine) =>
    (line.privileges.has(privilege) || line.privileges.has('ALL PRIVILEGES')) &&
    (line.database === undefined || (database !== undefined && line.database.test(database))) &&
    (line.name === undefined || line.name === name);
  const found = lines.filter(concerns);
  const isTaken = found.some((line) => line.revokes);
  return found.some((line) => !line.revokes && (!isTaken || line.database !== undefined));
}
