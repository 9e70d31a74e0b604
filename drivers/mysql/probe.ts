import type { DriverProblem, SourceProbe } from '../../core/driver/index.ts';
import type { Connection } from './protocol/connection.ts';
import { asSourceError } from './protocol/server-error.ts';
import { openSession } from './protocol/session.ts';
import { describeServer, isAtLeast, readServer, type Server } from './server.ts';
import type { ServerAddress } from './settings.ts';

/** Throws SOURCE_UNREACHABLE or SOURCE_DENIED. What the account may not do is among the problems. */
export async function probeServer(address: ServerAddress, signal: AbortSignal): Promise<SourceProbe> {
  await using connection = await openSession(address, { signal });
  try {
    const server = await readServer(connection);
    const problems = [...(await privilegeProblems(connection, server)), ...(await loadProblems(connection))];
    return { version: describeServer(server), identity: server.identity, problems };
  } catch (error) {
    throw asSourceError(error, address.subject, 'looking at the server');
  }
}

interface Need {
  /** Any one of these will do. */
  readonly privileges: readonly string[];
  readonly severity: 'error' | 'warning';
  readonly why: string;
}

const needs: readonly Need[] = [
  { privileges: ['SELECT'], severity: 'error', why: 'to read rows' },
  { privileges: ['SHOW VIEW'], severity: 'error', why: 'to read the definitions of views' },
  { privileges: ['TRIGGER'], severity: 'error', why: 'to see triggers; without it they would be missing silently' },
  { privileges: ['EVENT'], severity: 'error', why: 'to see events; without it they would be missing silently' },
  { privileges: ['PROCESS'], severity: 'warning', why: 'to see long-running queries before a brief lock is taken' },
  { privileges: ['RELOAD'], severity: 'warning', why: 'to take the brief lock that a busy server may need' },
  {
    privileges: ['BINLOG MONITOR', 'REPLICATION CLIENT', 'SUPER'],
    severity: 'warning',
    why: 'to record the position in the binary log',
  },
];

/** Looks at grants on everything; an account with narrower grants sees only what it may, and the plan is the judge. */
async function privilegeProblems(connection: Connection, server: Server): Promise<DriverProblem[]> {
  const granted = await readGrants(connection);
  if (granted.everywhere.has('ALL PRIVILEGES')) return [];
  return needs
    .filter((need) => !need.privileges.some((one) => granted.everywhere.has(one)))
    .map((need) => problemOf(need, granted, server));
}

interface Grants {
  readonly account: string;
  readonly everywhere: ReadonlySet<string>;
  readonly somewhere: ReadonlySet<string>;
}

/** MySQL 8 lists dynamic privileges and roles in the same statement; role grants count as they are active at login. */
async function readGrants(connection: Connection): Promise<Grants> {
  const account = (await connection.row('SELECT CURRENT_USER() AS account'))?.account ?? '';
  const everywhere = new Set<string>();
  const somewhere = new Set<string>();
  for (const row of await connection.rows('SHOW GRANTS')) {
    const [, list, where] = /^GRANT (.+?) ON (.+?) TO /.exec(Object.values(row)[0] ?? '') ?? [];
    for (const privilege of list?.split(', ') ?? []) (where === '*.*' ? everywhere : somewhere).add(privilege);
  }
  return { account, everywhere, somewhere };
}

function problemOf(need: Need, granted: Grants, server: Server): DriverProblem {
  const partly = need.privileges.some((one) => granted.somewhere.has(one)) || granted.somewhere.has('ALL PRIVILEGES');
  const name = need.privileges.includes('BINLOG MONITOR') ? binlogPrivilege(server) : need.privileges[0]!;
  const [user, host] = granted.account.split(/@(?=[^@]*$)/);
  return {
    severity: partly ? 'warning' : need.severity,
    summary: `the account ${granted.account} lacks ${name} ${partly ? 'on some databases' : ''}`.trimEnd(),
    hint: `Needed ${need.why}. Run: GRANT ${name} ON *.* TO '${user}'@'${host}'.`,
  };
}

function binlogPrivilege(server: Server): string {
  return isAtLeast(server, { mariadb: 1005 }) ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
}

async function loadProblems(connection: Connection): Promise<DriverProblem[]> {
  const row = await connection.row('SELECT @@GLOBAL.local_infile AS allowed');
  if (row?.allowed === '1') return [];
  return [
    {
      severity: 'warning',
      summary: 'the server forbids LOAD DATA LOCAL, so a restore into it is slower',
      hint: 'Set local_infile=ON on the server before large restores.',
    },
  ];
}
