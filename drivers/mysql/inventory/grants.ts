import type { Connection } from '../protocol/connection.ts';

/** What the account of a connection may do, as the server prints it. */
export interface Grants {
  /** As the server matched it: `tidemark@%`. */
  readonly account: string;
  /** On a table or routine, a whole database, or (without either) everywhere. Privileges on some columns do not count. */
  may(privilege: string, database?: string, name?: string): boolean;
  /** Databases from which some of what is granted everywhere is taken away; they may be out of sight. */
  readonly revokedFrom: readonly string[];
  /** Anywhere at all. */
  somewhere(privilege: string): boolean;
}

/** MySQL lists what active roles give only when they are named; MariaDB adds them, and what everybody may. */
export async function readGrants(connection: Connection, flavour: 'mariadb' | 'mysql'): Promise<Grants> {
  const account = (await connection.row('SELECT CURRENT_USER() AS account'))?.account ?? '';
  const using = flavour === 'mysql' ? await activeRoles(connection) : '';
  const rows = await connection.rows(`SHOW GRANTS${using === '' ? '' : ` FOR CURRENT_USER() USING ${using}`}`);
  const lines = rows.map((row) => parseGrant(Object.values(row)[0] ?? '')).filter((line) => line !== undefined);
  return grantsOf(account, lines);
}

/** `lines` as `parseGrant` gives them. */
export function grantsOf(account: string, lines: readonly GrantLine[]): Grants {
  return {
    account,
    may: (...what) => mayDo(lines, ...what),
    revokedFrom: lines.flatMap((line) => (line.revokes ? (line.databaseName ?? []) : [])),
    somewhere: (privilege) => lines.some((line) => !line.revokes && allows(line, privilege)),
  };
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

export interface GrantLine {
  /** An account, a role or everybody. */
  readonly to: string;
  /** Of a grant on databases by a pattern: how much of it comes before what stands for others. */
  readonly literal: number;
  /** A part of it is taken away from what is granted everywhere (MySQL's partial revokes). */
  readonly revokes: boolean;
  readonly privileges: ReadonlySet<string>;
  readonly database: RegExp | undefined;
  /** As a name, for what is no pattern. */
  readonly databaseName: string | undefined;
  readonly name: string | undefined;
}

/** Undefined for grants of roles and proxies and on single routines. */
export function parseGrant(text: string): GrantLine | undefined {
  const part = '(\\*|`(?:[^`]|``)+`)';
  const [, verb, list, database, name, to] =
    new RegExp(`^(GRANT|REVOKE) (.+?) ON (?:TABLE )?${part}\\.${part} (?:TO|FROM) (\\S+)`).exec(text) ?? [];
  if (list === undefined) return undefined;
  return {
    to: to!,
    literal: /^(?:\\.|[^%_\\])*$/s.test(database!) ? Number.POSITIVE_INFINITY : database!.search(/(?<!\\)[%_]/),
    revokes: verb === 'REVOKE',
    privileges: new Set(list.replaceAll(/\s*\([^)]*\)/g, ' (columns)').split(/,\s*/)),
    database: database === '*' ? undefined : patternOf(plainName(database!), name === '*'),
    databaseName: database === '*' ? undefined : plainName(database!).replaceAll(/\\([%_\\])/g, '$1'),
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
    wild === undefined ? literal(escaped ?? other) : wild === '%' ? '.*' : '[^*]',
  );
  return new RegExp(`^${source}$`, 'su');
}

function allows({ privileges }: GrantLine, privilege: string): boolean {
  return privileges.has(privilege) || privileges.has('ALL PRIVILEGES');
}

/** `database` may be a pattern with `*`: then what is granted on all that it can stand for counts. */
function mayDo(lines: readonly GrantLine[], privilege: string, database?: string, name?: string): boolean {
  const concerns = (line: GrantLine) =>
    (line.database === undefined || (database !== undefined && line.database.test(database))) &&
    (line.name === undefined || line.name === name);
  const found = nearest(lines.filter(concerns)).filter((line) => allows(line, privilege));
  const isTaken = found.some((line) => line.revokes);
  return found.some((line) => !line.revokes && (!isTaken || line.database !== undefined));
}

/** Of several grants of one account on databases by patterns the server takes the most literal one, and no other. */
function nearest(lines: readonly GrantLine[]): GrantLine[] {
  const isPattern = (line: GrantLine) => line.database !== undefined && line.name === undefined && !line.revokes;
  return lines.filter(
    (line) =>
      !isPattern(line) || !lines.some((one) => isPattern(one) && one.to === line.to && one.literal > line.literal),
  );
}
