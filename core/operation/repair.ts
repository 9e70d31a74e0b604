import type { AppliedResource, BackupWithManifest } from '../catalog/index.ts';
import type { Manifest, Run } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import { firstOf } from '../first-of.ts';
import { createEmitter } from '../observe/index.ts';
import type { CheckReport, RepairPlan, Repository, SnapshotChange } from '../repository/index.ts';
import { recordOf } from './backup-record.ts';
import { runCheck } from './check.ts';
import type { OperationContext } from './context.ts';
import { importBackups } from './import.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';
import { pinDocument, pinsKnown, readPins } from './pins.ts';
import { recoveredWarnings } from './recovered-locks.ts';

export interface RepairOutcome {
  /** Of the check of the structure that follows. */
  readonly verdict: CheckReport['verdict'];
  readonly packs: number;
  readonly indexFiles: number;
  /** Marks and pins that could not be read, and are not in the way any more. */
  readonly notes: number;
  /** Backups that have a new snapshot, without what is lost. */
  readonly rewritten: number;
  /** Snapshots that were moved aside. */
  readonly setAside: number;
  /** Of both, those that lost something. An event names each, and what. */
  readonly lessened: number;
  readonly warnings: readonly string[];
}

/**
 * What a repair of a destination's repository would do; changes nothing. `quick`: of the data only what earlier checks
 * found bad is read, not all of it.
 */
export async function planRepair(
  context: OperationContext,
  name: string,
  { quick }: { readonly quick: boolean },
  run: Run,
): Promise<{ plan: RepairPlan; warnings: readonly string[] }> {
  const destination = await appliedResource(context, `destinations.${name}`);
  await using open = await openRepository(context, destination, run.signal);
  return await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock('shared', run.signal);
    const { suspects } = await context.catalog.checks.get(name);
    const work = { ...run, signal: AbortSignal.any([run.signal, lock.signal]), threads: context.process.threads };
    const manifestOf = manifestsKnown(context, name);
    const isAllSuspect = suspects === 'all';
    const read = quick && !isAllSuspect ? 'none' : { share: 1 };
    const knownPins = await pinsKnown(context, name);
    const options = { read, suspects: isAllSuspect ? [] : suspects, manifestOf, knownPins } as const;
    const plan = await open.repository.planRepair(options, work);
    return { plan, warnings: recoveredWarnings(lock) };
  });
}

/** Executes a plan, makes the catalog follow, and looks whether all is well. Throws CHANGE_STALE. */
export async function runRepair(
  context: OperationContext,
  { destination: name, plan }: { readonly destination: string; readonly plan: RepairPlan },
  run: Run,
): Promise<RepairOutcome> {
  const destination = await appliedResource(context, `destinations.${name}`);
  const { changes, warnings } = await repairUnderLock(context, destination, plan, run);
  const imported = plan.snapshots.length === 0 ? undefined : await importBackups(context, destination, run);
  const { verdict } = await runCheck(context, { destination: name, read: 'none' }, run);
  return {
    verdict,
    packs: plan.misplaced.length + plan.packs.length,
    indexFiles: plan.indexFiles.length,
    notes: plan.marks.length + plan.pins.setAside.length,
    rewritten: changes.filter(({ by }) => by !== undefined).length,
    setAside: changes.filter(({ by }) => by === undefined).length,
    lessened: changes.filter(isLessened).length,
    warnings: [...warnings, ...(imported?.warnings ?? [])],
  };
}

async function repairUnderLock(
  context: OperationContext,
  destination: AppliedResource,
  plan: RepairPlan,
  run: Run,
): Promise<{ changes: readonly SnapshotChange[]; warnings: readonly string[] }> {
  await using open = await openRepository(context, destination, run.signal);
  return await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock('exclusive', run.signal, 'prune');
    const work = { ...run, signal: AbortSignal.any([run.signal, lock.signal]), threads: context.process.threads };
    const options = {
      manifestOf: manifestsKnown(context, destination.name),
      countsTree: ({ driver }: Manifest) => itemsArePaths(context, driver),
      onChange: (change: SnapshotChange) => followChange(context, open.repository, destination.name, change),
    };
    const changes = await open.repository.repair(lock, plan, options, work);
    if (plan.pins.putBack.length > 0) await followPins(context, open.repository, destination.name, work.signal);
    return { changes, warnings: recoveredWarnings(lock) };
  });
}

/** By their new ids, so that another repair knows them. */
async function followPins(
  context: OperationContext,
  repository: Repository,
  destination: string,
  signal: AbortSignal,
): Promise<void> {
  const { pins } = await readPins(context, repository, destination, signal);
  await context.catalog.backups.takeStock(destination, { found: [], gone: [], damaged: new Map(), pins });
}

function itemsArePaths({ drivers }: OperationContext, kind: string): boolean {
  return drivers.sources.some((driver) => driver.kind === kind && driver.capabilities.selection === 'paths');
}

async function knownCopy(
  { catalog }: OperationContext,
  destination: string,
  snapshot: string,
): Promise<BackupWithManifest | undefined> {
  try {
    return await catalog.backups.copy(destination, snapshot);
  } catch (error) {
    if (!hasCode(error, 'BACKUP_NOT_FOUND')) throw error;
    return undefined;
  }
}

function manifestsKnown(context: OperationContext, destination: string) {
  return async (snapshot: string) => knownManifest(await knownCopy(context, destination, snapshot));
}

function knownManifest(known: BackupWithManifest | undefined): Manifest | undefined {
  return known?.manifest.format === 1 && known.plan !== '' ? known.manifest : undefined;
}

/** The new snapshot is known before the old one is forgotten, under the names that the backup has by now. */
async function followChange(
  context: OperationContext,
  { pins }: Repository,
  destination: string,
  change: SnapshotChange,
): Promise<void> {
  const { backups } = context.catalog;
  const known = await knownCopy(context, destination, change.id);
  const { by } = change;
  const whose = known ?? (by === undefined ? undefined : await knownCopy(context, destination, by));
  if (isLessened(change)) await tellLost(context, destination, whose, change);
  const next = known === undefined ? undefined : followed(known, change);
  if (next !== undefined) await backups.record(await pinnedAgain(next, known, pins));
  await backups.takeStock(destination, { found: [], gone: [change.id], damaged: new Map() });
}

/** A snapshot of restic's gets another id, so that its pin says nothing of the new one. */
async function pinnedAgain(
  next: BackupWithManifest,
  known: BackupWithManifest | undefined,
  pins: Repository['pins'],
): Promise<BackupWithManifest> {
  if (next.pin === undefined || next.id === known?.id) return next;
  return { ...next, pin: { ...next.pin, object: await pins.add(pinDocument(next.id, next.pin)) } };
}

/** One that has no snapshot in its place has nothing left. */
function isLessened({ by, lost }: SnapshotChange): boolean {
  return by === undefined || lost.length > 0;
}

const namedPaths = 5;

/** Before the old snapshot goes: what was taken away is known whatever comes then. */
async function tellLost(
  { catalog }: OperationContext,
  destination: string,
  known: BackupWithManifest | undefined,
  { id, by, lost }: SnapshotChange,
): Promise<void> {
  const whose = known === undefined || known.plan === '' ? '' : `backup ${known.id} of ${known.plan}, `;
  const became = by === undefined ? 'all of it: it was moved to `damaged/`' : `it is snapshot ${by.slice(0, 8)} now`;
  const what = lost.length === 0 ? '' : ` lost ${lost.length} files and folders (${firstOf(lost, namedPaths)});`;
  const text = `${whose}snapshot ${id.slice(0, 8)}:${what} ${became}`;
  const subject = `destinations.${destination}`;
  const told = await catalog.events.list({ kind: 'backup.repaired', subject, limit: Number.MAX_SAFE_INTEGER });
  if (told.some((event) => event.text === text)) return; // by a repair that was cut off after it
  await createEmitter(catalog.events)('backup.repaired', subject, text);
}

function followed(known: BackupWithManifest, { by, manifest, lost }: SnapshotChange): BackupWithManifest | undefined {
  if (by === undefined) return undefined;
  const { plan, source, destination, addedBytes, pin } = known;
  if (manifest !== undefined) {
    const record = recordOf(manifest, { destination, snapshot: by, ...(addedBytes !== undefined && { addedBytes }) });
    return { ...record, plan, source, ...(pin !== undefined && { pin }) };
  }
  const warning = `repaired: ${lost.length} of its files and folders are lost`;
  const lessened = lost.length === 0 ? {} : { warnings: [...known.warnings, warning], partial: true };
  return { ...known, ...lessened, snapshot: by, id: by, manifest: { ...known.manifest, id: by } };
}
