import type { AppliedState, Catalog, Job, ProcessFate } from './catalog/index.ts';
import { sameIdentity } from './driver/index.ts';
import type { ErrorCode } from './error-codes.ts';
import type { RestorePlan } from './restore/index.ts';

/**
 * For so long it counts, from its end: nothing tells tidemark that a person has mended a source by other means, and a
 * warning that never goes away is heeded by nobody.
 */
export const rememberedMs = 7 * 86_400_000;

/** A restore may have run for longer than it is remembered; jobs are found by when they were queued. */
const soughtMs = rememberedMs + 30 * 86_400_000;

/** The restores that `unfinishedRestore` decides by. */
export function recentRestores({ jobs }: Pick<Catalog, 'jobs'>, now: Date): Promise<readonly Job[]> {
  const since = new Date(now.getTime() - soughtMs);
  const states = ['running', 'succeeded', 'partial', 'failed', 'cancelled'] as const;
  return jobs.list({ kind: 'restore', states, since, limit: 10_000 });
}

/**
 * The newest restore into the source, by this or another name of it, that may have left it half: it ended before it was
 * done, or lost its process, and no later one has brought back all that it was to bring. Pure.
 */
export function unfinishedRestore(
  restores: readonly Job[],
  source: string,
  resources: AppliedState['resources'],
  now: Date,
  fate: (owner: string) => ProcessFate,
): Job | undefined {
  const names = namesOf(`sources.${source}`, resources);
  const into = restores.filter(({ uses }) => uses.some(({ thing, mode }) => mode === 'write' && names.has(thing)));
  return into.find(
    (job) => mayBeHalf(job, now, fate) && isRemembered(job, now) && !into.some((other) => mends(other, job)),
  );
}

/** Addresses of one identity are one source. */
function namesOf(address: string, resources: AppliedState['resources']): ReadonlySet<string> {
  const identity = resources.get(address)?.identity;
  const twins = [...resources].filter(([, one]) => sameIdentity(identity, one.identity));
  return new Set([address, ...twins.map(([name]) => name)]);
}

/**
 * Thrown by a restore only before it writes. Whatever else it may throw, it may throw in the middle: a catalog whose disk
 * is full fails the renewal of a lease, and so ends the work.
 */
const beforeWriting: readonly ErrorCode[] = [
  'USAGE',
  'NOT_APPLIED',
  'SECRET_UNREADABLE',
  'CATALOG_BUSY',
  'BACKUP_NOT_FOUND',
  'REPOSITORY_MISSING',
  'REPOSITORY_LOCKED',
  'REPOSITORY_PASSWORD',
  'TARGET_NOT_EMPTY',
  'TARGET_DENIED',
];

function mayBeHalf(
  { state, startedAt, lease, error, result }: Job,
  now: Date,
  fate: (owner: string) => ProcessFate,
): boolean {
  if (startedAt === undefined) return false;
  if (state === 'running') return lease === undefined || lease.until <= now || fate(lease.owner) === 'gone'; // and nobody took it over
  if (state === 'partial') return lacksParts(result);
  if (state === 'failed') return error === undefined || !beforeWriting.includes(error.code);
  return state === 'cancelled';
}

/** What the backup itself does not have, or an owner that only root may set, leaves nothing half. */
function lacksParts(result: Job['result']): boolean {
  return notRestored(result).some(({ why }) => why !== 'absent');
}

function notRestored(result: Job['result']): readonly { readonly item: string; readonly why: string }[] {
  return (result?.notRestored ?? []) as ReturnType<typeof notRestored>;
}

function isRemembered({ endedAt }: Job, now: Date): boolean {
  return endedAt === undefined || now.getTime() - endedAt.getTime() < rememberedMs;
}

/** Two restores into one source never run at a time. A backup of another plan may hold less. */
function mends(later: Job, job: Job): boolean {
  if (!isWhole(later) || job.endedAt === undefined || later.startedAt! < job.endedAt) return false;
  const [did, should] = [planOf(later), planOf(job)];
  if (did.backup.partial && did.backup.snapshot !== should.backup.snapshot) return false;
  const absent = new Set(notRestored(later.result).map(({ item }) => item));
  const broughtBack = did.only.filter((pattern) => !absent.has(pattern));
  const samePart = should.only.length > 0 && should.only.every((pattern) => broughtBack.includes(pattern));
  return did.backup.plan === should.backup.plan && (did.only.length === 0 || samePart);
}

/** It brought back all that its backup has of what it was asked for. */
function isWhole({ state, result }: Job): boolean {
  return state === 'succeeded' || (state === 'partial' && !lacksParts(result));
}

function planOf({ request }: Job): RestorePlan {
  return request as unknown as RestorePlan;
}
