import { type BackupRecord, type BackupWithManifest, rejectUnfit } from '../catalog/index.ts';
import type { Resource } from '../config/index.ts';
import type { Manifest, Node, Run, TreeReader } from '../driver/index.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import { firstOf } from '../first-of.ts';
import type { BackupReading, Repository, Snapshot } from '../repository/index.ts';
import { recordOf } from './backup-record.ts';
import type { OperationContext } from './context.ts';
import { EqualCopies } from './equal-copies.ts';
import { finished, lateText } from './finished.ts';
import { openRepository, withSubject } from './open.ts';
import { readPins } from './pins.ts';
import { recoveredWarnings } from './recovered-locks.ts';
import { noRenames, type Renames, renameKnown, underNewNames } from './renamed-backups.ts';

export interface ImportOutcome {
  readonly found: number;
  readonly added: number;
  readonly removed: number;
  /** Those of the damaged that the catalog knew: it goes on listing them, as partial. */
  readonly kept: number;
  /** There is data, and no snapshot that says whose: it may be that of backups, or of one that was cut off. */
  readonly snapshotsLost: boolean;
  /** Snapshots that could not be read, or not whole, and why. */
  readonly damaged: readonly TidemarkError[];
  /** What is wrong with the repository as a whole, and which backups were removed from the catalog. */
  readonly warnings: readonly string[];
}

/**
 * Makes the catalog know exactly the backups that a destination holds, each once, also those that restic itself made. A destination
 * that is not applied becomes so: after the loss of the catalog a backup can be restored while sources are still down.
 * What is damaged costs itself and is named; a backup that was known and cannot be read any more is not forgotten.
 * Throws REPOSITORY_CORRUPT, and forgets nothing, where all snapshots are gone that the catalog knows, and their data is
 * there. A catalog that knows none cannot tell whether there were any: see `snapshotsLost`. `renames`: see `renamesOf`.
 */
export async function importBackups(
  context: OperationContext,
  destination: Resource,
  run: Run,
  renames: Renames = noRenames,
): Promise<ImportOutcome> {
  return finished<ImportOutcome>(
    (done) => importUnderLock(context, { destination, renames }, run, done),
    (outcome, thrown) => ({
      ...outcome,
      warnings: [...outcome.warnings, `the import is done, but ${lateText(thrown)}`],
    }),
  );
}

async function importUnderLock(
  context: OperationContext,
  { destination, renames }: { readonly destination: Resource; readonly renames: Renames },
  run: Run,
  done: (outcome: ImportOutcome) => void,
): Promise<void> {
  await using open = await openRepository(context, destination, run.signal);
  await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock('shared', run.signal);
    const locked = { ...run, signal: AbortSignal.any([run.signal, lock.signal]) };
    const known = await knownBackups(context, destination.name); // before looking: what comes meanwhile is not gone
    await adopt(context, destination, open.repository.id);
    await renameKnown(context, known, renames);
    const copies = new EqualCopies(known);
    const { found, added, damaged, warnings } = await readBackups(
      context,
      open.repository,
      { destination: destination.name, renames, copies },
      locked,
    );
    const snapshotsLost = found.size + damaged.size === 0 && !(await open.repository.isEmpty(locked.signal));
    const counted = known.filter(({ expiringAt }) => expiringAt === undefined); // of the others some may have gone already
    if (snapshotsLost && counted.length > 0) throw lostSnapshots(counted.length);
    const gone = known.filter(({ snapshot }) => !found.has(snapshot) && !damaged.has(snapshot));
    const listed = await open.repository.snapshotIds(locked.signal); // what was deleted while it was read must not stay
    const deleted = [...found].filter((snapshot) => !listed.has(snapshot));
    const pins = await readPins(context, open.repository, destination.name, locked.signal);
    const { removed } = await context.catalog.backups.takeStock(destination.name, {
      found: [],
      gone: [...gone.map(({ snapshot }) => snapshot), ...deleted, ...copies.others],
      damaged: new Map([...damaged].map(([snapshot, { message }]) => [snapshot, message])),
      pins: pins.pins,
    });
    const kept = known.filter(({ snapshot }) => damaged.has(snapshot)).length;
    const unpinned = await pinnedElsewhere(context, destination.name);
    const unexpected = gone.filter(
      ({ snapshot, expiringAt }) => expiringAt === undefined && !copies.others.has(snapshot),
    );
    const told = [
      ...warnings,
      ...pins.warnings,
      ...recoveredWarnings(lock),
      ...unpinnedWarnings(unpinned),
      ...goneWarnings(unexpected),
      ...copies.warnings,
      ...(snapshotsLost ? [noSnapshotText] : []),
    ];
    done({
      found: found.size - deleted.length,
      added,
      removed,
      kept,
      snapshotsLost,
      damaged: [...damaged.values()],
      warnings: told,
    });
  });
}

function knownBackups({ catalog }: OperationContext, destination: string): Promise<readonly BackupRecord[]> {
  return catalog.backups.list({ destination, limit: Number.MAX_SAFE_INTEGER });
}

/** A folder that was lost is listed as an empty one. */
function lostSnapshots(known: number): TidemarkError {
  const text = `the repository holds data and no snapshot, and the catalog knows ${count(known)} in it: \`snapshots/\` is empty or gone`;
  return new TidemarkError('REPOSITORY_CORRUPT', text, {
    hint: 'Bring `snapshots/` back from a copy of the repository. Nothing was forgotten: if all backups were removed on purpose, `tidemark delete` with their ids makes the catalog forget them, and `tidemark prune` frees their space.',
  });
}

const noSnapshotText =
  'the repository holds data and no snapshot: if there were backups in it, bring `snapshots/` back from a copy of the repository and import again; what a first backup left that was cut off, or what was forgotten on purpose, `tidemark prune` removes';

const namedGone = 12;

/** Each was a backup that somebody may count on. */
function goneWarnings(gone: readonly BackupRecord[]): string[] {
  if (gone.length === 0) return [];
  const names = gone.map(({ id, plan, snapshot }) => `${id} of ${plan || 'restic'} (snapshot ${snapshot.slice(0, 8)})`);
  const verbs =
    gone.length === 1 ? 'is not in the repository any more and was' : 'are not in the repository any more and were';
  return [
    `${count(gone.length)} ${verbs} removed from the catalog: ${firstOf(names, namedGone)}; if nobody removed them there, bring \`snapshots/\` back from a copy of the repository and import again`,
  ];
}

/** Pins are of one repository: what restic copies into another one is kept there by none. */
async function pinnedElsewhere({ catalog }: OperationContext, destination: string): Promise<readonly string[]> {
  const pinned = await catalog.backups.list({ pinned: true, limit: Number.MAX_SAFE_INTEGER });
  const elsewhere = new Set(pinned.filter((copy) => copy.destination !== destination).map(({ id }) => id));
  if (elsewhere.size === 0) return [];
  const here = await catalog.backups.list({ destination, limit: Number.MAX_SAFE_INTEGER });
  return here.filter(({ id, pin }) => pin === undefined && elsewhere.has(id)).map(({ id }) => id);
}

function unpinnedWarnings(ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  const [backups, pin] =
    ids.length === 1
      ? ['1 backup is', 'pins its copy here, too']
      : [`${ids.length} backups are`, 'with their ids pins the copies here, too'];
  return [
    `${backups} pinned in another destination and not in this one: ${firstOf(ids, namedGone)}; \`tidemark pin\` ${pin}`,
  ];
}

function count(backups: number): string {
  return backups === 1 ? '1 backup' : `${backups} backups`;
}

interface Findings {
  /** Snapshots that the catalog knows now. */
  readonly found: ReadonlySet<string>;
  /** How many of them it did not know before. */
  readonly added: number;
  /** By snapshot. One may be found, with what is whole of it, and damaged. */
  readonly damaged: ReadonlyMap<string, TidemarkError>;
  /** Of the repository as a whole. */
  readonly warnings: readonly string[];
}

/** Manifests may have megabytes, and a repository thousands of them: so many are held at a time. */
const batchSize = 20;

async function readBackups(
  context: OperationContext,
  repository: Repository,
  {
    destination,
    renames,
    copies,
  }: { readonly destination: string; readonly renames: Renames; readonly copies: EqualCopies },
  run: Run,
): Promise<Findings> {
  const found = new Set<string>();
  const damaged = new Map<string, TidemarkError>();
  const batch: BackupWithManifest[] = [];
  let added = 0;
  let warnings: readonly string[] = [];
  // Soon after each was read: what an import came to that was cut off stays.
  const store = async () => {
    const counting = batch.splice(0).filter(({ snapshot }) => !copies.others.has(snapshot));
    const stock = { found: counting, gone: [], damaged: new Map() };
    added += (await context.catalog.backups.takeStock(destination, stock)).added;
    for (const { snapshot } of stock.found) found.add(snapshot);
    for (const snapshot of copies.others) found.delete(snapshot);
  };
  for await (const snapshot of repository.snapshots(run.signal, (error, id) => damaged.set(id, error))) {
    run.progress.step(`reading snapshot ${snapshot.id.slice(0, 8)}`);
    const onDamage = (thrown: unknown) => damaged.set(snapshot.id, damageOf(snapshot, thrown));
    try {
      await using reading = await repository.salvage(snapshot, { ...run, threads: context.process.threads });
      warnings = reading.warnings; // one list, which grows
      const manifest = await manifestOf(reading, snapshot, onDamage);
      const record = underNewNames(recordOf(manifest, { destination, snapshot: snapshot.id }), renames);
      rejectUnfit(record);
      const other = copies.see(record, snapshot.replaces);
      if (other !== record.snapshot) batch.push(record);
    } catch (thrown) {
      onDamage(thrown);
    }
    if (batch.length === batchSize) await store();
    run.progress.add({ items: 1 });
  }
  await store();
  return { found, added, damaged, warnings };
}

/** Throws what is not about this one snapshot: an import without a destination is none. */
function damageOf({ id, time, tags }: Snapshot, thrown: unknown): TidemarkError {
  if (!hasCode(thrown, 'REPOSITORY_CORRUPT', 'UNSUPPORTED')) throw thrown;
  const plan = tags.find((tag) => tag.startsWith('plan:'));
  const whose = plan === undefined ? '' : `, of ${plan.replace(':', ' ')}`;
  return new TidemarkError(thrown.code, `snapshot ${id.slice(0, 8)} of ${time}${whose}: ${thrown.message}`, {
    hint: thrown.hint ?? `\`restic restore ${id.slice(0, 8)}\` brings back what is left of it.`,
    cause: thrown,
  });
}

async function adopt({ catalog }: OperationContext, destination: Resource, identity: string): Promise<void> {
  const { serial, resources } = await catalog.state.read();
  if (resources.has(destination.address)) return;
  await catalog.state.commit({ expectedSerial: serial, put: [{ ...destination, identity }], remove: [], rename: [] });
}

async function manifestOf(
  reading: BackupReading,
  snapshot: Snapshot,
  onDamage: (thrown: unknown) => void,
): Promise<Manifest> {
  if (reading.manifestDamage !== undefined) throw reading.manifestDamage;
  if (!reading.isForeign) return reading.manifest;
  if (Number.isNaN(Date.parse(snapshot.time))) throw new TidemarkError('REPOSITORY_CORRUPT', 'it tells no time');
  const { warnings, ...totals } = await countTree(reading, reading.rootTree, onDamage);
  // Restic's own repair leaves this tag, too.
  if (snapshot.tags.includes('repaired')) warnings.push('it was repaired: what was lost is left out of it');
  return { ...reading.manifest, totals, warnings, partial: warnings.length > 0 };
}

interface TreeTotals {
  items: number;
  bytes: number;
  readonly warnings: string[];
}

/** A snapshot of restic's does not say how much is in it. A folder that cannot be read costs what is below it. */
async function countTree(reader: TreeReader, id: string, onDamage: (thrown: unknown) => void): Promise<TreeTotals> {
  const totals: TreeTotals = { items: 0, bytes: 0, warnings: [] };
  const folders = [{ path: '', id }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const { path } = folder;
    try {
      for (const node of await reader.tree(folder.id)) countNode(node, path, totals, folders);
    } catch (thrown) {
      if (path === '') throw thrown;
      onDamage(thrown);
      totals.warnings.push(`${path} cannot be read: ${asTidemarkError(thrown).message}`);
    }
  }
  return totals;
}

function countNode(node: Node, path: string, totals: TreeTotals, folders: { path: string; id: string }[]): void {
  totals.items += 1;
  totals.bytes += node.content?.sizeBytes ?? 0;
  if (node.subtree !== undefined) folders.push({ path: `${path}/${node.name}`, id: node.subtree });
}
