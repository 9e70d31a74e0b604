import type { DriverProblem, SourceProbe } from '../../core/driver/index.ts';
import { accountText, type Grants } from './inventory/grants.ts';
import type { Missable } from './inventory/privileges.ts';
import { readSight } from './inventory/sight.ts';
import type { Connection } from './protocol/connection.ts';
import { asSourceError } from './protocol/server-error.ts';
import { openSession } from './protocol/session.ts';
import { describeServer, isAtLeast, readServer, type Server } from './server.ts';
import type { ServerAddress } from './settings.ts';

/** Throws SOURCE_UNREACHABLE or SOURCE_DENIED. What the account may not do is among the problems. */
export async function probeServer(
  address: ServerAddress,
  allows: readonly Missable[],
  signal: AbortSignal,
): Promise<SourceProbe> {
  await using connection = await openSession(address, { signal });
  try {
    const server = await readServer(connection);
    const problems = [...(await privilegeProblems(connection, server, allows)), ...(await loadProblems(connection))];
    return { version: describeServer(server), identity: server.identity, problems };
  } catch (error) {
    throw asSourceError(error, address.subject, 'looking at the server');
  }
}

interface Need {
  /** Any one of these will do. */
  readonly privileges: readonly string[];
  readonly why: string;
}

/** What backups may have to do, beside seeing what they read. */
function needsOf(server: Server): Need[] {
  const isNew = isAtLeast(server, { mariadb: 1005 });
  const lettingGo: Need = {
    privileges: isNew ? ['BINLOG ADMIN', 'SUPER'] : ['SUPER'],
    why: 'to let go of each table when it was read; without it schema changes wait for the end of a backup',
  };
  return [
    { privileges: ['RELOAD'], why: 'to take the brief lock that a busy server and a replica need' },
    {
      privileges: [isNew ? 'BINLOG MONITOR' : 'REPLICATION CLIENT', 'SUPER'],
      why: 'to record the position in the binary log',
    },
    ...(server.flavour === 'mariadb' && server.logsBinary ? [lettingGo] : []),
  ];
}

/**
 * Looks at everything; a plan may select less. What is granted somewhere is a warning therefore: the backup is the judge,
 * by the same comparison.
 */
async function privilegeProblems(
  connection: Connection,
  server: Server,
  allows: readonly Missable[],
): Promise<DriverProblem[]> {
  const { grants, missing } = await readSight({ control: connection, server, include: [], exclude: [] });
  const unseen = missing.map(({ what, privilege, grant, why }): DriverProblem => {
    const isKnown = allows.includes(what) || (what !== 'columns' && grants.somewhere(privilege));
    const [, where] = / ON (.*) TO /.exec(grant) ?? [];
    return {
      severity: isKnown || what === 'databases' ? 'warning' : 'error',
      summary: `the account ${grants.account} lacks ${privilege}${where === '*.*' ? '' : ` on ${where}`}`,
      hint: `Needed ${why}. Run: ${grant}.`,
    };
  });
  const unable = needsOf(server).filter((need) => !need.privileges.some((one) => grants.may(one)));
  return [...unseen, ...unable.map((need) => problemOf(need, grants))];
}

function problemOf({ privileges: [name], why }: Need, { account }: Grants): DriverProblem {
  return {
    severity: 'warning',
    summary: `the account ${account} lacks ${name}`,
    hint: `Needed ${why}. Run: GRANT ${name} ON *.* TO ${accountText(account)}.`,
  };
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
