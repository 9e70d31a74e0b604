import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { Identity } from './keys.ts';
import type { SealedObjects } from './objects.ts';

/** restic's lock document. An exclusive lock excludes every other; shared ones go together. */
interface LockDocument {
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
}

export interface LockRequest {
  readonly exclusive: boolean;
  readonly by: Identity & { readonly pid: number };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether a process of this host is alive; decides about locks that a crash left. */
  readonly processAlive: (pid: number) => boolean;
}

/** A moment by both clocks: the monotonic one stands still while the machine sleeps, the other may be set. */
interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

type Renewal = 'yes' | 'not-now' | 'removed';

const minuteMs = 60_000;
const refreshMs = 5 * minuteMs;
/** restic treats a lock that was not refreshed for this long as left behind. */
const staleMs = 30 * minuteMs;
/** Work stops this long after the last refresh, well before anyone else may consider the lock stale. */
const lostMs = 22 * minuteMs;
/** Between writing our lock and looking at the others' once more: both of two that come at once see each other. */
const settleMs = 200;
/** How long a refused or aborted request waits for a destination to take its lock away again. */
const giveUpMs = 10_000;

/**
 * Holds a lock of the repository by restic's protocol until disposed. `signal` fires with REPOSITORY_LOCK_LOST when the
 * lock cannot be refreshed or somebody removed it; all work under the lock must stop then.
 */
export class RepositoryLock implements AsyncDisposable {
  readonly #objects: SealedObjects;
  readonly #request: LockRequest;
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  /** Our lock, and behind it those before it that could not be deleted yet. */
  #ids: string[] = [];
  /** Locks whose writing failed: they may be there all the same. */
  #doubtful: string[] = [];
  /** When the document of our lock was written: others count from there. */
  #refreshedAt: Moment;
  #refreshing: Promise<void> = Promise.resolve();
  #renewal: Promise<unknown> = Promise.resolve();
  /** Locks that a crashed process of this host left and that were removed on the way. */
  readonly recovered: string[] = [];

  private constructor(objects: SealedObjects, request: LockRequest) {
    this.#objects = objects;
    this.#request = request;
    this.#refreshedAt = this.#moment();
  }

  /** Throws REPOSITORY_LOCKED when somebody holds a conflicting lock. */
  static async acquire(objects: SealedObjects, request: LockRequest): Promise<RepositoryLock> {
    const lock = new RepositoryLock(objects, request);
    await lock.#rejectConflicts();
    lock.#refreshedAt = lock.#moment();
    const object = objects.seal(lock.#document());
    lock.#ids = [object.id];
    // Not given the signal: a write that is given up may still land, after our deletion.
    const written = objects.putSealed('locks', object);
    try {
      await unlessAborted(written, request.signal);
      await delay(settleMs, undefined, { signal: request.signal });
      await lock.#rejectConflicts();
    } catch (error) {
      const hurry = AbortSignal.timeout(giveUpMs);
      await unlessAborted(written, hurry).catch(() => {});
      await objects.delete('locks', lock.#ids, hurry).catch(() => {});
      throw error;
    }
    lock.#refreshing = lock.#refresh();
    return lock;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Looks whether it is still held, for what must not be done without it. After a standby of the machine, or a step of its
   * clock, it is refreshed, as it soon would be by itself. Throws REPOSITORY_LOCK_LOST, and what the store throws.
   */
  async confirm(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    if (this.#leftMs() <= 0) await this.#keep();
    // Twice: a list that is made while the lock is renewed may have neither the old one nor the new one.
    else if (!(await this.#isThere()) && !(await this.#isThere())) this.#lose('somebody removed the lock');
    this.#lost.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#refreshing;
    await this.#renewal;
    await this.#objects.delete('locks', [...this.#ids, ...this.#doubtful]);
  }

  async #rejectConflicts(): Promise<void> {
    for await (const id of this.#objects.list('locks', this.#request.signal)) {
      if (this.#ids.includes(id)) continue;
      const other = await this.#read(id);
      if (other === undefined) continue;
      if (this.#isStale(other)) await this.#recover(id, other);
      else if (other.exclusive || this.#request.exclusive) throw lockedBy(other);
    }
  }

  /** A lock that goes away while we look is no conflict, nor is an empty file, which says nothing; so does restic. */
  async #read(id: string): Promise<LockDocument | undefined> {
    const { signal } = this.#request;
    try {
      return (await this.#objects.get('locks', id, signal)) as LockDocument;
    } catch (error) {
      if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
      if (hasCode(error, 'REPOSITORY_CORRUPT') && (await this.#objects.isEmpty('locks', id, signal))) return undefined;
      throw error;
    }
  }

  #isStale(other: LockDocument): boolean {
    const { by, clock, processAlive } = this.#request;
    if (clock.now().getTime() - Date.parse(other.time) > staleMs) return true;
    return other.hostname === by.host && !processAlive(other.pid);
  }

  async #recover(id: string, other: LockDocument): Promise<void> {
    await this.#objects.delete('locks', [id], this.#request.signal);
    this.recovered.push(`lock of ${other.username}@${other.hostname}, process ${other.pid}, from ${other.time}`);
  }

  async #isThere(): Promise<boolean> {
    const before = this.#ids;
    const found = await Array.fromAsync(this.#objects.list('locks', this.#request.signal));
    return found.some((id) => before.includes(id) || this.#ids.includes(id));
  }

  async #refresh(): Promise<void> {
    while (await this.#wait(Math.min(refreshMs, Math.max(1000, this.#leftMs())))) {
      await this.#keep();
      if (this.#lost.signal.aborted) return;
    }
  }

  /** Refreshes the lock, after the renewal that is under way, or finds it lost. */
  async #keep(): Promise<void> {
    const startedAt = this.#moment();
    const renewal = this.#renewal.then(() => this.#renew());
    const outcome = await this.#inTime(Math.max(minuteMs, this.#leftMs()), renewal);
    if (outcome === 'yes') this.#refreshedAt = startedAt;
    if (outcome === 'removed') this.#lose('somebody removed the lock');
    else if (this.#leftMs() <= 0) this.#lose('the lock could not be refreshed');
  }

  #moment(): Moment {
    const { clock } = this.#request;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() };
  }

  /** How long the lock may still be relied on without being refreshed. */
  #leftMs(): number {
    const now = this.#moment();
    const { monotonicMs, wallMs } = this.#refreshedAt;
    return lostMs - Math.max(now.monotonicMs - monotonicMs, now.wallMs - wallMs);
  }

  /** False when the lock is being released. */
  async #wait(ms: number): Promise<boolean> {
    try {
      await this.#request.clock.sleep(ms, this.#stop.signal);
      return true;
    } catch {
      return false;
    }
  }

  /** A destination that does not answer must not keep us from noticing that the lock is lost. */
  async #inTime(ms: number, renewal: Promise<Renewal>): Promise<Renewal> {
    this.#renewal = renewal;
    const answered = new AbortController();
    const timeout = this.#request.clock.sleep(ms, answered.signal).then(
      () => 'not-now' as const,
      () => renewal,
    );
    const outcome = await Promise.race([renewal, timeout]);
    answered.abort();
    return outcome;
  }

  /**
   * restic's way: write a new lock, then delete the old one. An unreachable store is tried again later. After a standby
   * the old one may count as stale: whoever removes it before the new one was there may work already.
   */
  async #renew(): Promise<Renewal> {
    const { signal } = this.#request;
    try {
      if ((await this.#read(this.#ids[0]!)) === undefined) return 'removed';
      const next = this.#objects.seal(this.#document());
      this.#doubtful.push(next.id);
      await this.#objects.putSealed('locks', next, signal);
      this.#doubtful = this.#doubtful.filter((id) => id !== next.id);
      const old = this.#ids;
      this.#ids = [next.id, ...old];
      if ((await this.#read(old[0]!)) === undefined) return 'removed';
      await this.#objects.delete('locks', old, signal);
      this.#ids = this.#ids.slice(0, 1);
      return 'yes';
    } catch {
      return 'not-now';
    }
  }

  #lose(why: string): void {
    this.#lost.abort(
      new TidemarkError('REPOSITORY_LOCK_LOST', why, {
        hint: 'The work was stopped so that nothing is written without a lock. It can be started again.',
      }),
    );
  }

  #document(): LockDocument {
    const { by, clock, exclusive } = this.#request;
    return { time: clock.now().toISOString(), exclusive, hostname: by.host, username: by.user, pid: by.pid };
  }
}

function lockedBy(other: LockDocument): TidemarkError {
  const kind = other.exclusive ? 'exclusively ' : '';
  return new TidemarkError(
    'REPOSITORY_LOCKED',
    `repository is ${kind}locked by ${other.username}@${other.hostname}, process ${other.pid}, since ${other.time}`,
    { hint: 'Wait for that process to end. If it is dead, run `restic unlock` on the repository.' },
  );
}
