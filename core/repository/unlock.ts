import { hasCode } from '../error.ts';
import { isStale, type LockDocument, type LockRequest } from './lock-document.ts';
import type { SealedObjects } from './objects.ts';

export interface LockFacts {
  readonly id: string;
  /** `stale`: by restic's rules nobody holds it any more. `unreadable`: it is damaged, and keeps everybody out. */
  readonly state: 'held' | 'stale' | 'unreadable';
  /** Absent where it cannot be read. */
  readonly by?: Pick<LockDocument, 'time' | 'exclusive' | 'hostname' | 'username' | 'pid' | 'use'>;
}

/** Every lock of the repository, and whose it is. */
export async function listLocks(
  objects: SealedObjects,
  request: Omit<LockRequest, 'exclusive' | 'use'>,
): Promise<LockFacts[]> {
  const locks: LockFacts[] = [];
  for await (const id of objects.list('locks', request.signal)) {
    try {
      const by = (await objects.get('locks', id, request.signal)) as LockDocument;
      const isGone = isStale(by, { ...request, exclusive: false, use: 'read' });
      locks.push({ id, state: isGone ? 'stale' : 'held', by });
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) continue; // it was given back
      if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
      locks.push({ id, state: 'unreadable' });
    }
  }
  return locks;
}
