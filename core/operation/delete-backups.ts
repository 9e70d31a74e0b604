import type { BackupRecord, ExpiryObstacle, ExpiryTerms } from '../catalog/index.ts';
import { asTidemarkError, TidemarkError } from '../error.ts';
import { firstOf } from '../first-of.ts';
import type { OperationContext } from './context.ts';
import { finished, lateText } from './finished.ts';
import { type Deletion, forgetCopies, obstacleText } from './forget-copies.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';

/** What is a person's to say. */
type ForgetChoice = Omit<ExpiryTerms, 'present'>;

/** One copy that somebody wants to delete, and why that will be refused as things stand. */
export interface PlannedDeletion {
  readonly backup: BackupRecord;
  readonly obstacle?: string;
  /** What a person may do about it. */
  readonly wayOut?: string;
}

/**
 * What deleting these backups comes to: every copy of each, oldest first, as far as their destinations can be looked into
 * by what is there. Nothing is changed. Throws BACKUP_NOT_FOUND and
 * BACKUP_AMBIGUOUS for a part of an id that does not name one backup, BACKUP_NEEDED when none of them may go.
 */
export async function planDelete(
  context: OperationContext,
  idParts: readonly string[],
  terms: ForgetChoice,
  signal: AbortSignal,
): Promise<readonly PlannedDeletion[]> {
  const { backups } = context.catalog;
  const ids = new Set<string>();
  for (const idPart of idParts) ids.add((await backups.get(idPart)).id);
  const copies = (await Promise.all([...ids].map((id) => backups.copies(id)))).flat();
  const present = await presentIn(context, new Set(copies.map(({ destination }) => destination)), signal);
  const planned: PlannedDeletion[] = [];
  for (const backup of copies.toSorted((a, b) => a.consistentAt.getTime() - b.consistentAt.getTime())) {
    const obstacle = await backups.obstacle(backup, { ...terms, present: present.get(backup.destination) });
    const told = obstacle && { obstacle: obstacleText(obstacle, backup), wayOut: waysOut[obstacle.why] };
    planned.push({ backup, ...told });
  }
  if (planned.every(({ obstacle }) => obstacle !== undefined)) throw needed(planned);
  return planned;
}

const waysOut: Readonly<Record<ExpiryObstacle['why'], string>> = {
  gone: 'Run `tidemark backups` to see what there is.',
  pinned: 'A backup that is pinned goes when it is unpinned.',
  read: 'A restore that waits or runs can be cancelled: `tidemark cancel JOB`.',
  last: '`--even-the-last` deletes also the newest good backup of a plan.',
};

/** The snapshots of each destination; of one that cannot be looked into nothing, which its deletion will tell. */
async function presentIn(
  context: OperationContext,
  destinations: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const present = new Map<string, ReadonlySet<string>>();
  for (const name of destinations) {
    try {
      const destination = await appliedResource(context, `destinations.${name}`);
      await using open = await openRepository(context, destination, signal);
      present.set(name, await open.repository.snapshotIds(signal));
    } catch {
      signal.throwIfAborted();
    }
  }
  return present;
}

/**
 * Deletes the copies of a plan that nothing forbids, and no others; what forbids it now counts. A destination that cannot
 * be reached costs its own copies: they stay as they were. Throws what went wrong when nothing at all was deleted for it.
 */
export async function deleteBackups(
  context: OperationContext,
  planned: readonly PlannedDeletion[],
  terms: ForgetChoice,
  signal: AbortSignal,
): Promise<readonly Deletion<BackupRecord>[]> {
  const refused = planned.flatMap(({ backup, obstacle: why }): Deletion<BackupRecord>[] =>
    why === undefined ? [] : [{ backup, deleted: false, why }],
  );
  const deletions: Deletion<BackupRecord>[] = [];
  const thrown: unknown[] = [];
  const wanted = planned.filter(({ obstacle }) => obstacle === undefined).map(({ backup }) => backup);
  for (const [destination, copies] of Map.groupBy(wanted, (copy) => copy.destination)) {
    const done = await deleteIn(context, destination, copies, { ...terms, signal }).catch(
      (error): Deletion<BackupRecord>[] => {
        thrown.push(error);
        const { code, message } = asTidemarkError(error);
        return copies.map((backup) => ({ backup, deleted: false, why: `${code}: ${message}` }));
      },
    );
    deletions.push(...done);
  }
  if (thrown.length > 0 && !deletions.some(({ deleted }) => deleted)) throw thrown[0];
  return [...deletions, ...refused];
}

async function deleteIn(
  context: OperationContext,
  name: string,
  copies: readonly BackupRecord[],
  terms: ForgetChoice & { readonly signal: AbortSignal },
): Promise<readonly Deletion<BackupRecord>[]> {
  return finished<readonly Deletion<BackupRecord>[]>(
    async (done) => {
      const destination = await appliedResource(context, `destinations.${name}`);
      await using open = await openRepository(context, destination, terms.signal);
      await withSubject(destination.address, async () => {
        await using lock = await open.repository.lock('shared', terms.signal);
        const signal = AbortSignal.any([terms.signal, lock.signal]);
        const place = { repository: open.repository, lock, destination: name };
        done(await forgetCopies(context, place, copies, { ...terms, event: 'backup.deleted', signal }));
      });
    },
    (deletions, thrown) => deletions.map((one) => (one.deleted ? { ...one, why: lateText(thrown) } : one)),
  );
}

function needed(planned: readonly PlannedDeletion[]): TidemarkError {
  const texts = planned.map(({ backup, obstacle }) => `${backup.id}: ${obstacle}`);
  const ways = new Set(planned.flatMap(({ wayOut }) => wayOut ?? []));
  return new TidemarkError('BACKUP_NEEDED', `nothing was deleted: ${firstOf(texts, 5, '; ')}`, {
    ...(ways.size > 0 && { hint: [...ways].join(' ') }),
  });
}
