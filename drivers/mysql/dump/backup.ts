import type { Clock } from '../../../core/clock.ts';
import type { BackupRequest, BackupResult, BackupSink } from '../../../core/driver/index.ts';
import { type Consistency, type Entry, notCarried } from '../format/contents.ts';
import { dictionaryOf } from '../inventory/census.ts';
import type { Missable, Missing } from '../inventory/privileges.ts';
import { parseSelection } from '../inventory/selection.ts';
import { readSight, refuseUnseen } from '../inventory/sight.ts';
import { asSourceError } from '../protocol/server-error.ts';
import { killOnAbort, openSession, waitPatiently } from '../protocol/session.ts';
import { readServer } from '../server.ts';
import type { ServerAddress } from '../settings.ts';
import type { DumpResult, DumpSetup, DumpTask } from './dump-thread.ts';
import { Folder, storeFolder } from './folder.ts';
import { holdGroups } from './hold-groups.ts';
import { Ledger, lostOf } from './ledger.ts';
import { rootLoadScript } from './load-script.ts';
import { storeObjects } from './object-dump.ts';
import { refuseNothing, unmatchedPatterns } from './patterns.ts';
import { findOpen } from './prove.ts';
import { readLater } from './read-later.ts';
import { storeRenamed } from './renamed-objects.ts';
import { readRenames } from './renames.ts';
import { type Started, startSnapshot } from './snapshot.ts';
import { dumpTables } from './table-dump.ts';
import { readWithUnnumbered } from './unnumbered.ts';
import { warningsOf } from './warnings.ts';
import { type Dump, mayRead } from './work.ts';

const dumpThread = import.meta.resolve('./dump-thread.ts');

export interface BackupContext {
  readonly address: ServerAddress;
  readonly clock: Clock;
  /** At most this many connections read at a time. */
  readonly parallel: number;
  /** What may be missing because the account may not see it. */
  readonly allowMissing: readonly Missable[];
}

/**
 * Reads a server into `sink` as one consistent state. What was changed while it was read is read again at a moment of
 * its own; such tables, and what could not be read at all, are named, and the backup is partial. Throws SOURCE_DENIED
 * when the account may not see what is selected.
 */
export async function backupLogical(
  context: BackupContext,
  request: BackupRequest,
  sink: BackupSink,
): Promise<BackupResult> {
  const { address, clock } = context;
  try {
    await using control = await openSession(address, { signal: request.signal });
    await control.execute(waitPatiently);
    const server = await readServer(control);
    await using threads = await sink.threads<DumpSetup, DumpTask, DumpResult>(dumpThread, { address });
    const count = Math.min(threads.count, context.parallel);
    const ids = await Promise.all(Array.from({ length: count }, (_, at) => threads.runOn(at, { do: 'identify' })));
    const connections = [control.id, ...ids.map((one) => one.connectionId!)];
    await using _ = killOnAbort(address, connections, request.signal);
    const selection = parseSelection(request.include, request.exclude);
    const allows = new Set(context.allowMissing);
    const { subject } = address;
    const { grants, missing } = await readSight({ control, server, ...request });
    refuseUnseen(missing, allows, grants.account, subject);
    const dictionary = missing.some((one) => one.what === 'dictionary') ? undefined : dictionaryOf(server);
    const own = { address, clock, control, server, dictionary, allows, grants, selection, subject };
    return await dump({ ...own, threads, count, request, sink, root: new Folder() }, missing);
  } catch (error) {
    throw asSourceError(error, address.subject);
  }
}

/** `unseen`: what the account may not see when the backup begins. What is granted later comes too late for what was read. */
async function dump(work: Dump, unseen: readonly Missing[]): Promise<BackupResult> {
  const started = await startSnapshot(work);
  refuseNothing(work, started);
  const ledger = new Ledger(started);
  const { databases } = started.inventory;
  const renames = await readRenames(work);
  await storeObjects(work, databases, ledger.beside);
  const tables = databases.flatMap((one) => one.tables);
  for (const table of tables) if (!mayRead(work, table)) ledger.hide(table);
  const readable = tables.filter((table) => mayRead(work, table));
  await readWithUnnumbered(work, readable, ledger, async () => ledger.add(await dumpTables(work, readable)));
  await readWhatMoved(work, started, ledger);
  await storeRenamed(work, ledger, renames);
  const { grants, missing } = await readSight({ ...work, ...work.request });
  refuseUnseen(missing, work.allows, grants.account, work.subject);
  const ever = new Map([...unseen, ...missing].map((one) => [one.grant, one]));
  return await describeBackup(work, started, ledger, [...ever.values()]);
}

/** In groups first, then one by one. What is open after that stays so in the ledger, and is named. */
async function readWhatMoved(work: Dump, started: Started, ledger: Ledger): Promise<void> {
  for (let round = 0; ; round++) {
    const { open, census } = await findOpen(work, ledger);
    if ((open.length === 0 && !census.moving) || round === rounds) return;
    work.request.progress.step('reading again what was changed meanwhile');
    const described = ledger.databases.flatMap((one) => one.tables);
    const isFirst = round === 0;
    const groups = isFirst ? holdGroups(open, census, described) : open.slice(0, stubborn).map((one) => [one]);
    for (const group of groups) await readLater(work, started, ledger, group);
  }
}

const rounds = 3;
const stubborn = 100;

async function describeBackup(
  work: Dump,
  started: Started,
  ledger: Ledger,
  missing: readonly Missing[],
): Promise<BackupResult> {
  const { server, sink, root } = work;
  const { point } = started;
  const tables = [...ledger.whole.values()].map((one) => one.facts);
  const lost = lostOf(ledger);
  const unmatched = unmatchedPatterns(work.request.include, started);
  const later = tables.filter((one) => one.later !== undefined);
  const all: Entry[] = [
    { kind: 'server', notCarried, consistency: consistencyOf(ledger) },
    ...ledger.beside.databases.values(),
    ...tables,
    ...ledger.beside.objects.values(),
  ];
  root.add('load.sql', await sink.content(rootLoadScript(all, ledger.databases, server.flavour)));
  return {
    root: await storeFolder(root, sink, new Date(point.time)),
    paths: ['/'],
    facts: {
      flavour: server.flavour,
      version: server.version,
      identity: server.identity,
      consistentPoint: point,
      totals: { items: tables.length, bytes: tables.reduce((sum, one) => sum + one.bytes, 0) },
      contents: all as unknown as Record<string, unknown>[],
      warnings: [...warningsOf(ledger, lost, missing), ...unmatched.map((one) => `nothing matches include ${one}`)],
      partial:
        lost.length +
          later.length +
          missing.length +
          unmatched.length +
          ledger.doubted.size +
          ledger.beside.doubted.size >
        0,
    },
  };
}

function consistencyOf({ whole }: Ledger): Consistency {
  const all = [...whole.values()];
  const isOutside = all.some(({ table }) => !table.transactional && !table.holdsNoRows);
  const isLater = all.some(({ facts }) => facts.later !== undefined);
  const exceptions = [
    ...(isOutside ? ['tables that are not transactional'] : []),
    ...(isLater ? ['tables that changed meanwhile'] : []),
  ];
  return exceptions.length === 0 ? 'one moment' : `one moment, but for ${exceptions.join(' and ')}`;
}
