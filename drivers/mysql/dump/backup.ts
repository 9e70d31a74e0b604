import type { Clock } from '../../../core/clock.ts';
import type { BackupRequest, BackupResult, BackupSink } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { type Entry, notCarried } from '../format/contents.ts';
import { tableDefinition, withoutCounter } from '../inventory/definitions.ts';
import { type Inventory, readInventory, readTableStamps, type TableEntry } from '../inventory/inventory.ts';
import { parseSelection, type Selection } from '../inventory/selection.ts';
import type { Connection } from '../protocol/connection.ts';
import { asSourceError } from '../protocol/server-error.ts';
import { killOnAbort, openSession } from '../protocol/session.ts';
import { readServer } from '../server.ts';
import type { ServerAddress } from '../settings.ts';
import { type BinlogPosition, type ConsistentPoint, startConsistentSnapshots } from './consistent-point.ts';
import { type DumpResult, type DumpSetup, type DumpTask, moduleUrl } from './dump-thread.ts';
import { Folder, storeFolder } from './folder.ts';
import { rootLoadScript } from './load-script.ts';
import { storeObjects } from './object-dump.ts';
import { dumpTables } from './table-dump.ts';
import type { Dump } from './work.ts';

export interface BackupContext {
  readonly address: ServerAddress;
  readonly clock: Clock;
  /** At most this many connections read at a time. */
  readonly parallel: number;
}

/**
 * Reads a server into `sink` as one consistent state. Throws SOURCE_CHANGED when a table was changed in shape or
 * swapped while it was read: a backup that might mix two states is not made.
 */
export async function backupLogical(
  context: BackupContext,
  request: BackupRequest,
  sink: BackupSink,
): Promise<BackupResult> {
  const { address } = context;
  try {
    await using control = await openSession(address, { signal: request.signal });
    const server = await readServer(control);
    await using threads = await sink.threads<DumpSetup, DumpTask, DumpResult>(moduleUrl, { address });
    const count = Math.min(threads.count, context.parallel);
    const ids = await Promise.all(Array.from({ length: count }, (_, at) => threads.runOn(at, { do: 'identify' })));
    const connections = [control.id, ...ids.map((one) => one.connectionId!)];
    await using _ = killOnAbort(address, connections, request.signal);
    const root = new Folder();
    return await dump(
      { control, server, threads, count, request, sink, subject: address.subject, root },
      context.clock,
    );
  } catch (error) {
    throw asSourceError(error, address.subject);
  }
}

async function dump(work: Dump, clock: Clock): Promise<BackupResult> {
  const { control, request, server } = work;
  const selection = parseSelection(request.include, request.exclude);
  const { point, inventory, stamps } = await startSnapshot(work, selection, clock);
  const tables = inventory.databases.flatMap((one) => one.tables);
  const before = await readDefinitions(control, tables);
  const { entries, objects } = await storeObjects(work, inventory, before);
  const tableFacts = await dumpTables(work, tables);
  await checkUnchanged(work, selection, tables, before, stamps);
  const all: Entry[] = [{ kind: 'server', notCarried }, ...entries, ...tableFacts, ...objects];
  work.root.add('load.sql', await work.sink.content(rootLoadScript(all, inventory, server.flavour)));
  return {
    root: await storeFolder(work.root, work.sink, new Date(point.time)),
    paths: ['/'],
    facts: {
      flavour: server.flavour,
      version: server.version,
      identity: server.identity,
      consistentPoint: point,
      totals: { items: tables.length, bytes: tableFacts.reduce((sum, one) => sum + one.bytes, 0) },
      contents: all as unknown as Record<string, unknown>[],
      warnings: warningsOf(tables),
      partial: false,
    },
  };
}

interface Started {
  readonly point: ConsistentPoint;
  readonly inventory: Inventory;
  readonly stamps: ReadonlyMap<string, string>;
}

/** Lists before and after the snapshots start must agree, or a table could be in the snapshot and not on the list. */
async function startSnapshot(work: Dump, selection: Selection, clock: Clock): Promise<Started> {
  const { control, server, request, subject } = work;
  request.progress.step('starting the snapshot');
  const step = (text: string) => request.progress.step(text);
  const startAll = () => startOnAll(work);
  for (let round = 0; round < snapshotRounds; round++) {
    const before = await readTableStamps(control, selection);
    const point = await startConsistentSnapshots({
      control,
      server,
      startAll,
      clock,
      signal: request.signal,
      subject,
      step,
    });
    const inventory = await readInventory(control, selection);
    const stamps = await readTableStamps(control, selection);
    if (!sameStamps(before, stamps)) continue;
    refuseNothing(inventory, request.include, subject);
    return { point, inventory, stamps };
  }
  throw new TidemarkError('SOURCE_CHANGED', 'tables come and go while the snapshot starts', {
    subject,
    hint: 'Exclude the tables that are created and dropped all the time.',
  });
}

const snapshotRounds = 5;

async function startOnAll({ threads, count }: Dump): Promise<BinlogPosition[]> {
  const started = Array.from({ length: count }, (_, at) => threads.runOn(at, { do: 'snapshot' }));
  return (await Promise.all(started)).map((one) => one.position!);
}

function sameStamps(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, stamp]) => b.get(name) === stamp);
}

/** An empty backup of a pattern that matches nothing would look like a good one. */
function refuseNothing(inventory: Inventory, include: readonly string[], subject: string): void {
  const count = (one: Inventory['databases'][number]) =>
    one.tables.length + one.views.length + one.sequences.length + one.routines.length + one.events.length;
  if (include.length === 0 || inventory.databases.some((one) => count(one) > 0)) return;
  throw new TidemarkError('CONFIG_INVALID', `nothing on the server matches ${include.join(', ')}`, {
    subject,
    hint: 'Correct `include` of the plan, or grant the account SELECT on what it should read: others are invisible to it.',
  });
}

async function readDefinitions(control: Connection, tables: readonly TableEntry[]): Promise<Map<TableEntry, Buffer>> {
  const read = new Map<TableEntry, Buffer>();
  for (const table of tables) read.set(table, await tableDefinition(control, table.database, table.name));
  return read;
}

async function checkUnchanged(
  work: Dump,
  selection: Selection,
  tables: readonly TableEntry[],
  before: ReadonlyMap<TableEntry, Buffer>,
  stamps: ReadonlyMap<string, string>,
): Promise<void> {
  const after = await readTableStamps(work.control, selection);
  for (const table of tables) {
    const name = `${table.database}.${table.name}`;
    const definition = await tableDefinition(work.control, table.database, table.name);
    const same = withoutCounter(definition) === withoutCounter(before.get(table)!);
    if (same && after.get(name) === stamps.get(name)) continue;
    throw new TidemarkError('SOURCE_CHANGED', `table ${name} was changed while it was being read`, {
      subject: work.subject,
      hint: 'Run the backup again at a time without schema changes.',
    });
  }
}

function warningsOf(tables: readonly TableEntry[]): string[] {
  const named = (which: (table: TableEntry) => boolean) =>
    tables.filter(which).map((one) => `${one.database}.${one.name}`);
  const list = (names: string[], text: string) => (names.length === 0 ? [] : [`${text}: ${names.join(', ')}`]);
  return [
    ...list(
      named((one) => !one.transactional && !one.holdsNoRows),
      'not transactional, so not part of the consistent state',
    ),
    ...list(
      named((one) => one.holdsNoRows),
      'rows live elsewhere, only the definition is carried',
    ),
    ...list(
      named((one) => one.systemVersioned),
      'system-versioned, only the current rows are carried',
    ),
  ];
}
