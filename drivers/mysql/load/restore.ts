import type { BackupReader, RestoreRequest, RestoreResult } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { firstOf } from '../../../core/first-of.ts';
import {
  type DatabaseFacts,
  type Entry,
  type ObjectFacts,
  objectKinds,
  type TableFacts,
  type UnknownFacts,
} from '../format/contents.ts';
import { parseSelection } from '../inventory/selection.ts';
import { asTargetError } from '../protocol/server-error.ts';
import { killOnAbort } from '../protocol/session.ts';
import type { ServerAddress } from '../settings.ts';
import { BackupFiles } from './backup-files.ts';
import { isCode, readOtherCollations, tellOtherCollations } from './code-collation.ts';
import { type Existing, existingOf, readExisting } from './existing.ts';
import { endedHalfway } from './halfway.ts';
import { lackTexts } from './lacks.ts';
import { LoadLedger } from './ledger.ts';
import { type LoadResult, type LoadSetup, type LoadTask, openLoadSession } from './load-thread.ts';
import { type Chosen, lookBeforeLoading } from './look.ts';
import { createDatabases, createObjects, createTriggers, triggersOf } from './object-load.ts';
import { compareTables } from './table-compare.ts';
import { loadTables } from './table-load.ts';
import { withoutTwins } from './twins.ts';
import type { Load } from './work.ts';

const loadThread = import.meta.resolve('./load-thread.ts');

export interface RestoreContext {
  readonly address: ServerAddress;
  readonly parallel: number;
}

/**
 * Loads a logical backup into a server. Nothing is touched before all that is wanted is known to have room. Damage and
 * refusals cost what they touch; what ends the restore halfway says in its error what is in the target by then.
 */
export async function restoreLogical(
  context: RestoreContext,
  request: RestoreRequest,
  backup: BackupReader,
): Promise<RestoreResult> {
  const { address } = context;
  const chosen = choose(backup, request);
  const triggers = chosen.tables.filter((one) => one.hasTriggers);
  const ledger = new LoadLedger(chosen.tables, [...chosen.objects, ...triggers.map(triggersOf)]);
  for (const one of chosen.unknown) ledger.unknown(one);
  for (const pattern of unmatchedPatterns(chosen, request.only)) ledger.miss(pattern);
  try {
    return await restoreInto(context, request, backup, chosen, ledger);
  } catch (error) {
    const cause = request.signal.aborted ? request.signal.reason : asTargetError(error, address.subject, 'restoring');
    throw ledger.isUntouched ? cause : await endedHalfway(address, ledger, cause);
  }
}

async function restoreInto(
  { address, parallel }: RestoreContext,
  request: RestoreRequest,
  backup: BackupReader,
  wanted: Chosen,
  ledger: LoadLedger,
): Promise<RestoreResult> {
  await using control = await openLoadSession(address, { signal: request.signal });
  const existing = await readExisting(control);
  const chosen = withoutTwins(wanted, existing, ledger);
  if (!request.overwrite) refuseExisting(chosen, existing, address.subject);
  const files = new BackupFiles(backup);
  const { manifest } = backup;
  const collations = await readOtherCollations(control, chosen.databases, existing);
  const lacks = await lookBeforeLoading({ control, address, chosen, files, existing, collations, request, manifest });
  ledger.warnings.push(...lackTexts(lacks));
  for (const text of lackTexts(lacks)) request.progress.step(text);
  await using threads = await backup.threads<LoadSetup, LoadTask, LoadResult>(loadThread, { address });
  const count = Math.min(threads.count, parallel);
  const ids = await Promise.all(Array.from({ length: count }, (_, at) => threads.runOn(at, { do: 'identify' })));
  const connectionIds = new Map(ids.map(({ connectionId }, thread) => [thread, connectionId!]));
  await using _ = killOnAbort(address, connectionIds.set(ofControl, control.id).values(), request.signal);
  const { subject } = address;
  return await load(
    { control, threads, count, request, files, subject, existing, collations, lacks, ledger, connectionIds },
    chosen,
  );
}

/** Beside the numbers of the threads. */
const ofControl = -1;

async function load(work: Load, chosen: Chosen): Promise<RestoreResult> {
  const { request, ledger } = work;
  const { tables, objects } = chosen;
  const bytes = tables.reduce((sum, one) => sum + one.bytes, 0);
  request.progress.expect({ bytes, items: tables.length });
  ledger.isUntouched = false;
  await createDatabases(work, chosen.databases);
  tellOtherCollations(work, databasesOfCode(chosen));
  await createObjects(work, objects, ['sequence']);
  const whole = await loadTables(work, tables);
  request.progress.step('making routines, views, triggers and events');
  await createObjects(work, objects, ['package', 'package body', 'function', 'procedure']);
  await createObjects(work, objects, ['view']);
  await compareTables(
    work,
    whole.filter(({ isDoubtful }) => isDoubtful || request.verify),
  );
  for (const table of tables) if (table.hasTriggers) await createTriggers(work, table);
  await createObjects(work, objects, ['event']);
  return resultOf(ledger);
}

function databasesOfCode({ tables, objects }: Chosen): Set<string> {
  const all = [...objects.filter(isCode), ...tables.filter((one) => one.hasTriggers)];
  return new Set(all.map(({ database }) => database));
}

/** Counts as the backup does: tables, and the bytes of their rows. */
function resultOf(ledger: LoadLedger): RestoreResult {
  ledger.addUp();
  const { notRestored, warnings } = ledger;
  const whole = ledger.tables('whole');
  const bytes = whole.reduce((sum, one) => sum + one.bytes, 0);
  return { items: whole.length, bytes, warnings, notRestored, partial: notRestored.length > 0 };
}

function choose({ manifest }: BackupReader, request: RestoreRequest): Chosen {
  if (manifest.driver !== 'mysql' || manifest.type !== 'logical') {
    throw new TidemarkError(
      'UNSUPPORTED',
      `a ${manifest.type} backup of ${manifest.driver} cannot be loaded into a server`,
    );
  }
  const selection = parseSelection(request.only, []);
  const entries = manifest.contents as unknown as Entry[];
  const tables = entries.filter((one): one is TableFacts => one.kind === 'table');
  const objects = entries.filter((one): one is ObjectFacts => isOneOf(objectKinds, one.kind));
  const unknown: UnknownFacts[] = entries.filter(({ kind }) => !isOneOf([...knownKinds, ...objectKinds], kind));
  const wanted = ({ database, name }: UnknownFacts) =>
    database === undefined || name === undefined ? request.only.length === 0 : selection.includes(database, name);
  const chosen = {
    tables: tables.filter(wanted),
    objects: objects.filter(wanted),
    unknown: unknown.filter(wanted),
  };
  const used = new Set([...chosen.tables, ...chosen.objects, ...chosen.unknown].map((one) => one.database));
  const databases = entries.filter((one): one is DatabaseFacts => one.kind === 'database');
  if (request.only.length === 0) return { ...chosen, databases };
  if (used.size > 0) return { ...chosen, databases: databases.filter((one) => used.has(one.database)) };
  throw new TidemarkError('USAGE', `nothing in the backup matches ${request.only.join(', ')}`, {
    hint: '`tidemark show` lists what the backup holds. An older one may hold it: leave `--backup` out, and it is found.',
  });
}

const knownKinds = ['server', 'database', 'table'];

function isOneOf(kinds: readonly string[], kind: string): boolean {
  return kinds.includes(kind);
}

function unmatchedPatterns({ tables, objects, unknown }: Chosen, only: readonly string[]): string[] {
  return only.filter((pattern) => {
    const selection = parseSelection([pattern], []);
    return ![...tables, ...objects, ...unknown].some(({ database = '', name = '' }) =>
      selection.includes(database, name),
    );
  });
}

function refuseExisting(chosen: Chosen, existing: Existing, subject: string): void {
  const found = [...chosen.tables, ...chosen.objects].filter((one) => existingOf(existing, one) !== undefined);
  if (found.length === 0) return;
  const names = found.map((one) => `${one.database}.${one.name}`);
  throw new TidemarkError('TARGET_NOT_EMPTY', `the server already holds ${firstOf(names, 5)}`, {
    subject,
    hint: 'Restore into an empty server, choose other tables, or allow replacing with `--overwrite`.',
  });
}
