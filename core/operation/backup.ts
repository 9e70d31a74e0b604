import { unlessAborted } from '../abort.ts';
import { type AppliedResource, type BackupRecord, clockStepMs } from '../catalog/index.ts';
import { type PlanSettings, planSettings } from '../config/index.ts';
import {
  type BackupFacts,
  type BackupResult,
  type Manifest,
  manifestFolder,
  type Node,
  type Progress,
  type Run,
} from '../driver/index.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import {
  type BackupReading,
  type BackupWriting,
  manifestFile,
  type Repository,
  type RepositoryLock,
} from '../repository/index.ts';
import { tellRepositoryDamage } from '../repository-damage.ts';
import { recentRestores, unfinishedRestore } from '../unfinished-restore.ts';
import { recordOf } from './backup-record.ts';
import type { OperationContext } from './context.ts';
import { finished, lateText } from './finished.ts';
import { appliedResource, openRepository, openSource, withSubject } from './open.ts';
import { recordBackup } from './record-backup.ts';
import { recoveredWarnings } from './recovered-locks.ts';

export interface BackupRequest {
  readonly plan: string;
  /** Becomes the id of the backup: one job makes one backup. */
  readonly jobId: string;
}

/**
 * Makes one backup of a plan's source in its destination: the snapshot, and its record in the catalog. What the plan
 * means is taken from the applied state. Once both are there, nothing undoes the success.
 */
export async function runBackup(context: OperationContext, request: BackupRequest, run: Run): Promise<BackupRecord> {
  const { resources } = await context.catalog.state.read();
  const plan = planSettings(await appliedResource(context, `plans.${request.plan}`), resources, context.drivers);
  const destination = await appliedResource(context, `destinations.${plan.destinations[0]}`);
  const backup = { plan, id: request.jobId, startedAt: context.clock.now(), destination };
  return finished<BackupRecord>((done) => storeUnderLock(context, backup, run, done), withWarning);
}

interface NewBackup {
  readonly plan: PlanSettings;
  readonly id: string;
  readonly startedAt: Date;
  readonly destination: AppliedResource;
}

async function storeUnderLock(
  context: OperationContext,
  backup: NewBackup,
  run: Run,
  onRecorded: (record: BackupRecord) => void,
): Promise<void> {
  const { destination } = backup;
  await using open = await openRepository(context, destination, run.signal);
  await withSubject(destination.address, async () => {
    const { suspects } = await context.catalog.checks.get(destination.name);
    const distrusted = suspects === 'all' ? [] : suspects; // so many are no reason to store everything anew
    const progressAnew = attempts(run.progress);
    const store = (lock: RepositoryLock) => {
      const again = { progress: progressAnew(), signal: AbortSignal.any([run.signal, lock.signal]) };
      return storeBackup(context, { repository: open.repository, lock }, backup, again, onRecorded);
    };
    await open.repository.underLock('write', run.signal, store, distrusted);
  });
}

/** Each call gives the progress of another attempt, and takes back what those before it counted. */
function attempts(progress: Progress): () => Progress {
  const told = { bytes: 0, items: 0 };
  return () => {
    progress.add({ bytes: -told.bytes, items: -told.items });
    Object.assign(told, { bytes: 0, items: 0 });
    return {
      expect: (total) => progress.expect(total),
      step: (text) => progress.step(text),
      add({ bytes = 0, items = 0 }) {
        told.bytes += bytes;
        told.items += items;
        progress.add({ bytes, items });
      },
    };
  };
}

function withWarning(record: BackupRecord, thrown: unknown): BackupRecord {
  return { ...record, warnings: [...record.warnings, `the backup was stored, but ${lateText(thrown)}`] };
}

async function storeBackup(
  context: OperationContext,
  { repository, lock }: { repository: Repository; lock: RepositoryLock },
  backup: NewBackup,
  run: Run,
  onRecorded: (record: BackupRecord) => void,
): Promise<void> {
  const { plan, destination } = backup;
  const source = await appliedResource(context, `sources.${plan.source}`);
  await using session = await openSource(context, source);
  const work = { ...run, threads: context.process.threads };
  const newest = await newestBackup(context, repository, plan, work);
  const unreadable = newest instanceof TidemarkError;
  await using parent = unreadable ? undefined : newest;
  if (parent !== undefined) run.progress.expect(parent.manifest.totals); // a first guess, which drivers correct
  await using writing = await repository.write(lock, work, { treesAgain: unreadable });
  const { type, include, exclude } = plan;
  const request = { type, include, exclude, parent, ...run };
  const made = await withSubject(source.address, () => session.backup(request, writing)).finally(async () => {
    await lock.settled; // whatever came of the source: nothing is told before
    await tellRepositoryDamage(context.catalog, destination.address, writing.warnings);
  });
  const result = await afterRestore(context, plan.source, made);
  const warnings = [
    ...(unreadable ? [allAnew(newest)] : []),
    ...(await clockBack(context, backup, result.facts.consistentPoint.time)),
    ...writing.warnings,
    ...result.facts.warnings,
  ];
  const manifest = manifestOf(context, backup, String(source.spec.driver), { ...result.facts, warnings });
  const snapshot = await commit(context, writing, manifest, result, run.signal);
  // The backup is in the repository: a cancel comes too late for it, and must not make it one that nobody knows of.
  const unread = await readBack(repository, snapshot, run.signal);
  const record = recordOf(manifest, { destination: destination.name, snapshot, addedBytes: writing.addedBytes });
  const told = { ...record, warnings: [...record.warnings, ...unread, ...recoveredWarnings(lock)] };
  onRecorded(await recordBackup(context, told, run.signal));
}

/**
 * What was reported as done can be read back. A process that is to end is killed after some seconds, which a destination
 * may take for this alone, and one that is away may be back: then the backup is recorded without it, and a warning says
 * so. Tried again, it would be there twice, and both with one id.
 */
async function readBack(repository: Repository, snapshot: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    await unlessAborted(repository.snapshot(snapshot, signal), signal);
    return [];
  } catch (thrown) {
    if (signal.aborted) return ['the snapshot was stored but not read back: the job was to end'];
    const { code, message, retry } = asTidemarkError(thrown);
    if (retry === 'never') throw thrown;
    return [`the snapshot was stored but not read back: ${code}: ${message}`];
  }
}

/** A clock that went back dates this backup before older ones: a retention takes it for older than they are. */
async function clockBack(
  { catalog }: OperationContext,
  { plan, destination }: NewBackup,
  time: string,
): Promise<readonly string[]> {
  const since = new Date(Date.parse(time) + clockStepMs);
  const history = { plan: plan.name, source: plan.source, destination: destination.name };
  const [later] = await catalog.backups.list({ ...history, expiring: false, since, limit: 1 });
  if (later === undefined) return [];
  return [
    `the clock was or is wrong: this backup is dated ${time}, and an earlier one, ${later.id}, ${later.consistentAt.toISOString()}`,
  ];
}

/** A backup of what a restore left half is better than none, and must not pass for a whole one. */
async function afterRestore(context: OperationContext, source: string, result: BackupResult): Promise<BackupResult> {
  const now = context.clock.now();
  const { resources } = await context.catalog.state.read();
  const restores = await recentRestores(context.catalog, now);
  const unfinished = unfinishedRestore(restores, source, resources, now, context.fate);
  if (unfinished === undefined) return result;
  const text = `a restore into this source did not end well (job ${unfinished.id}): what it left half is in this backup`;
  return { ...result, facts: { ...result.facts, partial: true, warnings: [...result.facts.warnings, text] } };
}

/**
 * The newest backup of the plan that is still in this repository, to find unchanged data in. Where it is damaged, everything is
 * read anew, and what else is damaged that was stored with it nobody knows.
 */
async function newestBackup(
  context: OperationContext,
  repository: Repository,
  plan: PlanSettings,
  work: Parameters<Repository['read']>[1],
): Promise<BackupReading | TidemarkError | undefined> {
  const ofPlan = { plan: plan.name, destination: plan.destinations[0], expiring: false, limit: 1 };
  const [newest] = await context.catalog.backups.list(ofPlan);
  if (newest === undefined || newest.source !== plan.source) return undefined;
  try {
    return await repository.read(await repository.snapshot(newest.snapshot, work.signal), work);
  } catch (error) {
    if (hasCode(error, 'BACKUP_NOT_FOUND')) return undefined;
    if (hasCode(error, 'REPOSITORY_CORRUPT')) return error;
    throw error;
  }
}

function allAnew({ message }: TidemarkError): string {
  return `the backup before this one cannot be read, so all was read and each folder stored anew: ${message}`;
}

function manifestOf(context: OperationContext, backup: NewBackup, driver: string, facts: BackupFacts): Manifest {
  const { plan, id, startedAt } = backup;
  return {
    format: 1,
    tidemark: context.version,
    id,
    plan: plan.name,
    source: plan.source,
    driver,
    type: plan.type,
    selection: { include: plan.include, exclude: plan.exclude },
    startedAt: startedAt.toISOString(),
    endedAt: context.clock.now().toISOString(),
    ...facts,
  };
}

async function commit(
  context: OperationContext,
  writing: BackupWriting,
  manifest: Manifest,
  result: BackupResult,
  signal: AbortSignal,
): Promise<string> {
  const { host, user } = context.process;
  const folder = await storeManifest(context, writing, manifest);
  const { plan, source, type, id } = manifest;
  return writing.commit(
    {
      time: manifest.consistentPoint.time,
      tree: await writing.tree([...result.root, folder]),
      paths: result.paths,
      hostname: host,
      username: user,
      tags: ['tidemark', `plan:${plan}`, `source:${source}`, `type:${type}`, `id:${id}`],
      programVersion: `tidemark ${context.version}`,
    },
    signal,
  );
}

async function storeManifest(context: OperationContext, writing: BackupWriting, manifest: Manifest): Promise<Node> {
  const timeNs = BigInt(context.clock.now().getTime()) * 1_000_000n;
  const common = { mtimeNs: timeNs, atimeNs: timeNs, ctimeNs: timeNs, uid: 0, gid: 0 };
  const content = await writing.content(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  const file: Node = { ...common, name: manifestFile, type: 'file', mode: 0o600, content };
  return { ...common, name: manifestFolder, type: 'dir', mode: 0o700, subtree: await writing.tree([file]) };
}
