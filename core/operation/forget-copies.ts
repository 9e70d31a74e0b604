import type { BackupRecord, ExpiryObstacle, ExpiryTerms, NewEvent } from '../catalog/index.ts';
import { firstOf } from '../first-of.ts';
import { createEmitter, type EventKind } from '../observe/index.ts';
import type { Repository, RepositoryLock } from '../repository/index.ts';
import type { OperationContext } from './context.ts';
import { learnPins, pinsIn } from './pins.ts';

/** A repository that is open under a lock, and the name of its destination. */
export interface LockedPlace {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  readonly destination: string;
}

/** As much of a copy as its deletion needs. */
export type DoomedCopy = Pick<BackupRecord, 'id' | 'plan' | 'destination' | 'snapshot'>;

/** What became of one copy that was to go. `why` it did not, for people; then it is as it was, unless it is expiring. */
export interface Deletion<Copy extends DoomedCopy = DoomedCopy> {
  readonly backup: Copy;
  readonly deleted: boolean;
  readonly why?: string;
}

export interface ForgetTerms extends Omit<ExpiryTerms, 'present'> {
  /** What it is told as. */
  readonly event: Extract<EventKind, 'backup.expired' | 'backup.deleted'>;
  readonly signal: AbortSignal;
}

/** After so many a crash leaves no more half. */
const batchSize = 100;

/**
 * Deletes copies of one destination: the catalog says first that they expire, then their snapshots go, and when those are
 * seen to be gone the catalog forgets them. Whatever it dies between, the rest is done by whoever deletes there next
 * (`unfinishedCopies`). What the catalog forbids stays and is told. No byte is freed by this: see `prune`.
 */
export async function forgetCopies<Copy extends DoomedCopy>(
  context: OperationContext,
  place: LockedPlace,
  copies: readonly Copy[],
  terms: ForgetTerms,
): Promise<readonly Deletion<Copy>[]> {
  if (copies.length === 0) return [];
  await learnPins(context, place.repository, place.destination, terms.signal);
  const present = await place.repository.snapshotIds(terms.signal);
  const deletions: Deletion<Copy>[] = [];
  for (let at = 0; at < copies.length; at += batchSize) {
    deletions.push(...(await forgetBatch(context, place, copies.slice(at, at + batchSize), { ...terms, present })));
  }
  return deletions;
}

/** Those that somebody began to delete there and did not finish. */
export function unfinishedCopies({ catalog }: OperationContext, destination: string): Promise<readonly BackupRecord[]> {
  return catalog.backups.list({ destination, expiring: true, limit: Number.MAX_SAFE_INTEGER });
}

/** For people: after `it stays, because`. */
export function obstacleText(obstacle: ExpiryObstacle, { id, plan, destination }: DoomedCopy): string {
  if (obstacle.why === 'gone') return 'the catalog does not know it any more';
  if (obstacle.why === 'pinned') return `it is pinned: \`tidemark unpin ${id}\` lets it go`;
  if (obstacle.why === 'read') return `job ${obstacle.job} is to read it`;
  return `it is the newest good backup of ${plan === '' ? 'its host' : `plan ${plan}`} in ${destination}`;
}

async function forgetBatch<Copy extends DoomedCopy>(
  context: OperationContext,
  { repository, lock, destination }: LockedPlace,
  copies: readonly Copy[],
  { signal, event, ...terms }: ForgetTerms & ExpiryTerms,
): Promise<readonly Deletion<Copy>[]> {
  const { backups, events } = context.catalog;
  const obstacles = new Map<Copy, ExpiryObstacle>();
  for (const copy of copies) {
    signal.throwIfAborted();
    const obstacle = await backups.expire(copy, terms);
    if (obstacle !== undefined) obstacles.set(copy, obstacle);
  }
  for (const copy of await keepPinned(context, repository, copies, signal)) obstacles.set(copy, { why: 'pinned' });
  const going = copies.filter((copy) => !obstacles.has(copy));
  const { left, isLast } = await deleteSnapshots(repository, lock, going, signal);
  const gone = going.filter(({ snapshot }) => !left.has(snapshot));
  const { event: make } = createEmitter(events);
  const told = [...eventsOf(make, event, destination, gone), ...(isLast ? [emptiedEvent(make, destination)] : [])];
  await backups.forget(
    destination,
    gone.map(({ snapshot }) => snapshot),
    told,
  );
  return copies.map((backup) => {
    const obstacle = obstacles.get(backup);
    if (obstacle !== undefined) return { backup, deleted: false, why: obstacleText(obstacle, backup) };
    return left.has(backup.snapshot) ? { backup, deleted: false, why: notDeleted } : { backup, deleted: true };
  });
}

const notDeleted = 'the destination was told to delete its snapshot and lists it still; the next prune tries again';

/**
 * A pin in the repository holds whatever the catalog says, also for what a crash left half deleted: nobody who set it
 * there from another machine could know of that. Gives those that it holds; one whose snapshot is gone it holds no more.
 */
async function keepPinned<Copy extends DoomedCopy>(
  { catalog }: OperationContext,
  repository: Repository,
  copies: readonly Copy[],
  signal: AbortSignal,
): Promise<readonly Copy[]> {
  const pins = await pinsIn(repository, signal);
  if (!copies.some(({ id }) => pins.has(id))) return [];
  const present = await repository.snapshotIds(signal);
  const pinned = copies.filter(({ id, snapshot }) => pins.has(id) && present.has(snapshot));
  for (const copy of pinned) await catalog.retained.keep(copy, pins.get(copy.id)!);
  return pinned;
}

/** Gives those that are there all the same, and whether no other is. */
async function deleteSnapshots(
  repository: Repository,
  lock: RepositoryLock,
  copies: readonly DoomedCopy[],
  signal: AbortSignal,
): Promise<{ readonly left: ReadonlySet<string>; readonly isLast: boolean }> {
  if (copies.length === 0) return { left: new Set(), isLast: false };
  const ids = copies.map(({ snapshot }) => snapshot);
  await repository.forget(lock, ids, signal);
  const listed = await repository.snapshotIds(signal);
  return { left: new Set(ids.filter((id) => listed.has(id))), isLast: listed.size === 0 };
}

type MakeEvent = (kind: EventKind, subject: string, text: string) => NewEvent;

/** Without it a repository that has data and no snapshot is taken for one that has lost them: see `rejectLost`. */
function emptiedEvent(make: MakeEvent, destination: string): NewEvent {
  return make('repository.emptied', `destinations.${destination}`, `the last backup in ${destination} was deleted`);
}

const namedIds = 5;

/** One for each plan. */
function eventsOf(
  make: MakeEvent,
  kind: EventKind,
  destination: string,
  gone: readonly DoomedCopy[],
): readonly NewEvent[] {
  return [...Map.groupBy(gone, ({ plan }) => plan)].map(([plan, some]) => {
    const ids = firstOf(
      some.map(({ id }) => id),
      namedIds,
    );
    const subject = plan === '' ? `destinations.${destination}` : `plans.${plan}`;
    return make(kind, subject, `${some.length} ${some.length === 1 ? 'backup' : 'backups'} in ${destination}: ${ids}`);
  });
}
