import { ulid } from 'ulid';
import type { Clock } from '../clock.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { Identity } from './keys.ts';
import type { SealedObjects } from './objects.ts';

/**
 * What the work under a lock does. `write` relies on no pack that was marked before the lock was there; `read` may be
 * reading from any pack; `prune` marks and removes packs; `gate` is the short time in which a prune takes packs out of
 * the index, when nothing may begin.
 */
export type LockUse = 'write' | 'read' | 'prune' | 'gate';

/**
 * restic's lock document, with two fields that restic passes over. An exclusive lock excludes every other; shared ones go
 * together.
 */
export interface LockDocument {
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  /** Of this acquisition, kept while the lock is refreshed. Without it the lock is stock restic's, or of an older tidemark. */
  readonly holder?: string;
  readonly use?: LockUse;
}

/** Whether packs may be written under it: a lock of another program does not say what for. */
export function mayWrite(lock: Pick<LockDocument, 'use'> | undefined): boolean {
  return lock?.use === undefined || lock.use === 'write' || lock.use === 'prune';
}

export interface LockRequest {
  readonly exclusive: boolean;
  readonly use: LockUse;
  readonly by: Identity & { readonly pid: number };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether a process of this host is alive, and not begun after `since`; decides about locks that a crash left. */
  readonly processAlive: (pid: number, since?: Date) => boolean;
  /** How long a lock that was written waits for one that came at once with it to be seen; not to be short in earnest. */
  readonly settleMs?: number;
  /** Where to name the locks that are removed on the way. */
  readonly recovered?: string[];
  /** Of the lock under which this one is taken. */
  readonly holder?: string;
  /** Locks that conflict by their kind and are let be all the same. */
  readonly accepts?: (other: LockDocument) => boolean;
}

/** restic treats a lock that was not refreshed for this long as left behind. */
const staleMs = 30 * 60_000;

export function newHolder(clock: Clock): string {
  return ulid(clock.now().getTime());
}

/**
 * By restic's rules, but for a process of this host that is alive: its lock is never stale, whatever our clock says. One that
 * began after the lock was written has but the number of whoever wrote it; so have we, where the number is ours, as in a
 * container that was started again.
 */
export function isStale(other: LockDocument, { by, clock, processAlive }: LockRequest): boolean {
  const isHere = other.hostname === by.host;
  if (isHere && !processAlive(other.pid)) return true;
  const isOld = clock.now().getTime() - Date.parse(other.time) > staleMs;
  return isOld && !(isHere && other.pid !== by.pid && processAlive(other.pid, new Date(other.time)));
}

/** A lock that goes away while we look is none, nor is an empty file, which says nothing; so does restic. */
export async function readLock(
  objects: SealedObjects,
  id: string,
  signal: AbortSignal,
): Promise<LockDocument | undefined> {
  try {
    return (await objects.get('locks', id, signal)) as LockDocument;
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    if (hasCode(error, 'REPOSITORY_CORRUPT') && (await objects.isEmpty('locks', id, signal))) return undefined;
    throw error;
  }
}

export function describeLock({ username, hostname, pid, time }: LockDocument, began = 'since'): string {
  return `${username}@${hostname}, process ${pid}, ${began} ${time}`;
}

export function lockedBy(other: LockDocument): TidemarkError {
  const kind = other.exclusive ? 'exclusively ' : '';
  return new TidemarkError('REPOSITORY_LOCKED', `repository is ${kind}locked by ${describeLock(other)}`, {
    hint: 'Wait for that process to end. If it is dead, run `tidemark repository unlock` on the destination.',
  });
}
