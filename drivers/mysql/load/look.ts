import type { Manifest, RestoreRequest } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { DatabaseFacts, ObjectFacts, TableFacts, UnknownFacts } from '../format/contents.ts';
import { accountText, type Grants, readGrants } from '../inventory/grants.ts';
import { type Connection, quoteName } from '../protocol/connection.ts';
import { ServerError } from '../protocol/server-error.ts';
import { readServer, type Server } from '../server.ts';
import type { ServerAddress } from '../settings.ts';
import type { BackupFiles } from './backup-files.ts';
import type { OtherCollations } from './code-collation.ts';
import type { Existing } from './existing.ts';
import { type Lacks, readLacks } from './lacks.ts';
import { type Need, readNeeds } from './needs.ts';
import { roomProblem } from './room.ts';
import { writeProblem } from './writable.ts';

/** What of a backup is wanted. */
export interface Chosen {
  readonly databases: readonly DatabaseFacts[];
  readonly tables: readonly TableFacts[];
  readonly objects: readonly ObjectFacts[];
  /** What a newer tidemark has put into the backup, and this one cannot make. */
  readonly unknown: readonly UnknownFacts[];
}

/** What a look at the target sees. */
export interface Look {
  readonly control: Connection;
  readonly server: Server;
  readonly grants: Grants;
  readonly address: ServerAddress;
  readonly chosen: Chosen;
  readonly files: BackupFiles;
  readonly existing: Existing;
  readonly collations: OtherCollations;
  readonly request: RestoreRequest;
  readonly manifest: Manifest;
}

/**
 * Finds what would stop a restore midway before anything is touched, and tells all of it at once: TARGET_DENIED where
 * the server cannot be written to or the account lacks privileges, TARGET_FAILED where there is surely too little room.
 * What only some tables need and the server does not have costs only them: it is given back.
 */
export async function lookBeforeLoading(seen: Omit<Look, 'server' | 'grants'>): Promise<Lacks> {
  seen.request.progress.step('looking at what the target allows');
  const server = await readServer(seen.control);
  const look = { ...seen, server, grants: await grantsOf(seen.control, server) };
  const denied = [await writeProblem(look), privilegeProblem(look, await readNeeds(look))];
  const room = await roomProblem(look);
  const problems = [...denied, room].filter((one) => one !== undefined);
  if (problems.length === 0) return await readLacks(look);
  const code = problems.every((one) => one === room) ? 'TARGET_FAILED' : 'TARGET_DENIED';
  throw new TidemarkError(code, `nothing was restored: ${problems.map(({ text }) => text).join('; ')}`, {
    subject: seen.address.subject,
    hint: problems.map(({ hint }) => hint).join(' '),
  });
}

/** Where grants cannot be read, as on a server without tables of them, nothing is known to be missing. */
async function grantsOf(control: Connection, server: Server): Promise<Grants> {
  try {
    return await readGrants(control, server.flavour);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { account: '', may: () => true, revokedFrom: [], somewhere: () => true };
  }
}

/** What keeps the restore from beginning, and a sentence that says what to do. */
export interface Problem {
  readonly text: string;
  readonly hint: string;
}

function privilegeProblem({ grants }: Look, needs: readonly Need[]): Problem | undefined {
  const missing = new Map<string, Need[]>();
  for (const need of needs) {
    const { privileges, database, name } = need;
    if (privileges.some((one) => grants.may(one, database, name))) continue;
    const where = database === undefined ? '*.*' : `${quoteName(database)}.*`;
    missing.set(where, [...(missing.get(where) ?? []), need]);
  }
  if (missing.size === 0) return undefined;
  const places = [...missing].map(([where, needs]) => ({ where, list: listOf(needs) }));
  const texts = places.map(({ where, list }) => `${list} on ${where}`);
  const statements = places.map(({ where, list }) => `GRANT ${list} ON ${where} TO ${accountText(grants.account)};`);
  const reasons = [...new Set([...missing.values()].flat().flatMap(({ hint }) => hint ?? []))];
  return {
    text: `the account ${grants.account} lacks ${texts.join(', ')}`,
    hint: `Run: ${statements.join(' ')} ${reasons.map((one) => `${one} `).join('')}Or choose with \`--only\` what needs less.`,
  };
}

function listOf(needs: readonly Need[]): string {
  return [...new Set(needs.map(({ privileges }) => privileges[0]!))].join(', ');
}
