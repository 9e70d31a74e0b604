import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from '../abort.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../error.ts';
import { formatDuration } from '../units.ts';
import {
  describeLock,
  isStale,
  type LockDocument,
  type LockRequest,
  type LockUse,
  lockedBy,
  newHolder,
  readLock,
} from './lock-document.ts';
import type { SealedObjects } from './objects.ts';

/** A moment by both clocks: the monotonic one stands still while the machine sleeps, the other may be set. */
interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

type Renewal = 'yes' | 'not-now' | 'removed';

const minuteMs = 60_000;
const refreshMs = 5 * minuteMs;
/** Work stops this long after the last refresh, well before anyone else may consider the lock stale. */
const lostMs = 22 * minuteMs;
/** Between writing our lock and looking at the others' once more, when the request says nothing else: both of two that come at once see each other. */
const settlesAfterMs = 200;
/** A prune that takes packs out of the index is waited for so long, and looked for so often. */
const gateMs = 2 * minuteMs;
const gateEveryMs = 1000;
/** How long a refused or aborted request waits for a destination to take its lock away again. */
const giveUpMs = 10_000;

/**
 * Holds a lock of the repository by restic's protocol until disposed. `signal` fires with REPOSITORY_LOCK_LOST when the
 * lock cannot be refreshed or somebody removed it, and as `settled` rejects; all work under the lock must stop then.
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
  /** The lock that is in the way. */
  #refusedBy: LockDocument | undefined;
  #settled: Promise<void> = Promise.resolve();
  #refreshing: Promise<void> = Promise.resolve();
  #renewal: Promise<unknown> = Promise.resolve();
  /** Why the last renewal failed: a disk that is full, or a destination that is away. */
  #notRenewed: TidemarkError | undefined;
  /** Locks that were taken for left behind and removed on the way, also by those that are taken under this one. */
  readonly recovered: string[];
  /** Names this acquisition in the lock's document; it stays when the lock is refreshed. */
  readonly holder: string;

  private constructor(objects: SealedObjects, request: LockRequest) {
    this.#objects = objects;
    this.#request = request;
    this.recovered = request.recovered ?? [];
    this.holder = request.holder ?? newHolder(request.clock);
    this.#refreshedAt = this.#moment();
  }

  /** Throws REPOSITORY_LOCKED when somebody holds a conflicting lock; waits for the gate of a prune to go. */
  static acquire(objects: SealedObjects, request: LockRequest): Promise<RepositoryLock> {
    return RepositoryLock.#pastGates(objects, request, async (lock) => {
      await lock.#take();
      await lock.settled;
      return lock;
    });
  }

  /**
   * As `acquire`, and holds the lock while `work` is done, which begins before `settled`: as soon as the lock is there and
   * none is seen that conflicts. Till then `work` may only read, and tells nothing as done. When a lock turns up that came at
   * once with ours, `signal` fires, `work` has to end, and what it came to is thrown away; with a gate it begins again.
   *
   * What is read so early is as true as what is read later, as all of it is read after our lock was there:
   * - Marks. Who writes a witness lists the locks when his mark is durable. Either he sees ours, or his mark was there
   *   before ours, and we read it.
   * - The gate, and who wants the repository for himself. He looks once more when his lock has settled. Either he sees ours
   *   and gives up, or his was there so long before ours that the look just after our writing sees it; if that look does
   *   not, it is gone, and what he did is done.
   */
  static hold<T>(objects: SealedObjects, request: LockRequest, work: (lock: RepositoryLock) => Promise<T>): Promise<T> {
    return RepositoryLock.#pastGates(objects, request, async (lock) => {
      await lock.#take();
      await using _ = lock;
      try {
        return await work(lock);
      } finally {
        await lock.settled; // whatever came of the work: without the lock it says nothing
      }
    });
  }

  static async #pastGates<T>(
    objects: SealedObjects,
    request: LockRequest,
    attempt: (lock: RepositoryLock) => Promise<T>,
  ): Promise<T> {
    const { clock, signal, recovered = [] } = request;
    const lastMs = clock.monotonicMs() + gateMs;
    for (;;) {
      const lock = new RepositoryLock(objects, { ...request, recovered });
      try {
        return await attempt(lock);
      } catch (thrown) {
        if (lock.#refusedBy?.use !== 'gate' || clock.monotonicMs() >= lastMs) throw thrown;
      }
      await clock.sleep(gateEveryMs, signal);
    }
  }

  /** Writes the lock, which settles from then on. Throws REPOSITORY_LOCKED; then it is gone again. */
  async #take(): Promise<void> {
    await this.#rejectConflict();
    this.#refreshedAt = this.#moment();
    const object = this.#objects.seal(this.#document());
    this.#ids = [object.id];
    // Not given the signal: a write that is given up may still land, after our deletion.
    const written = this.#objects.putSealed('locks', object);
    try {
      await unlessAborted(written, this.#request.signal);
      await this.#rejectConflict();
    } catch (error) {
      await this.#giveUp(written);
      throw hasCode(error, 'DESTINATION_FULL') ? noRoomForLock(error) : error;
    }
    this.#settled = this.#settle(written);
    this.#settled.catch(() => {}); // for whoever asks, perhaps later
  }

  async #settle(written: Promise<void>): Promise<void> {
    const { signal, settleMs = settlesAfterMs } = this.#request;
    try {
      await delay(settleMs, undefined, { signal });
      await this.#rejectConflict();
      this.#refreshing = this.#refresh();
    } catch (error) {
      this.#lost.abort(error);
      await this.#giveUp(written);
      throw error;
    }
  }

  async #rejectConflict(): Promise<void> {
    this.#refusedBy = await this.#conflict();
    if (this.#refusedBy !== undefined) throw lockedBy(this.#refusedBy);
  }

  async #giveUp(written: Promise<void>): Promise<void> {
    this.#stop.abort();
    const hurry = AbortSignal.timeout(giveUpMs);
    await unlessAborted(written, hurry).catch(() => {});
    await this.#objects.delete('locks', this.#ids, hurry).catch(() => {});
  }

  /** The locks of all others that count, as they stand now. Throws REPOSITORY_CORRUPT for one that cannot be read. */
  async others({ alsoStale = false } = {}): Promise<LockDocument[]> {
    const others = new Map<string, LockDocument>();
    for (let look = 0; look < 2; look++) {
      // Twice: a list that is made while a lock is renewed may have neither the old one nor the new one.
      for await (const { id, other } of this.#othersWithIds()) others.set(other.holder ?? id, other);
    }
    others.delete(this.holder);
    return [...others.values()].filter((other) => alsoStale || !isStale(other, this.#request));
  }

  /** Takes another lock for the same work, such as the gate. */
  under(request: Pick<LockRequest, 'exclusive' | 'use' | 'accepts'>): Promise<RepositoryLock> {
    return RepositoryLock.acquire(this.#objects, {
      ...this.#request,
      ...request,
      holder: this.holder,
      recovered: this.recovered,
    });
  }

  get isExclusive(): boolean {
    return this.#request.exclusive;
  }

  get use(): LockUse {
    return this.#request.use;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Resolves when the lock is ours for certain: nobody's was found that came at once with it. Rejects with REPOSITORY_LOCKED,
   * or with the reason of the request's signal; then the lock is gone.
   */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /**
   * Looks whether it is still held, for what must not be done without it. After a standby of the machine, or a step of its
   * clock, it is refreshed, as it soon would be by itself. Throws REPOSITORY_LOCK_LOST, and what the store throws.
   */
  async confirm(): Promise<void> {
    await this.settled;
    this.#lost.signal.throwIfAborted();
    if (this.#leftMs() <= 0) await this.#keep();
    // Twice: a list that is made while the lock is renewed may have neither the old one nor the new one.
    else if (!(await this.#isThere()) && !(await this.#isThere())) this.#lose('somebody removed the lock');
    this.#lost.signal.throwIfAborted();
  }

  /**
   * As `confirm`, for what was done since: looks only where so much time has passed, by either clock, that somebody may
   * have taken the lock for one that was left behind.
   */
  async confirmKept(): Promise<void> {
    if (this.#lost.signal.aborted || this.#leftMs() <= 0) await this.confirm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#refreshing;
    await this.#renewal;
    await this.#objects.delete('locks', [...this.#ids, ...this.#doubtful]);
  }

  /** Removes what a crash left on the way. */
  async #conflict(): Promise<LockDocument | undefined> {
    for await (const { id, other } of this.#othersWithIds()) {
      if (other.holder === this.holder) continue; // the lock under which this one is taken, however old it looks
      if (isStale(other, this.#request)) await this.#recover(id, other);
      else if ((other.exclusive || this.#request.exclusive) && !this.#request.accepts?.(other)) return other;
    }
    return undefined;
  }

  async *#othersWithIds(): AsyncGenerator<{ id: string; other: LockDocument }> {
    for await (const id of this.#objects.list('locks', this.#request.signal)) {
      const other = this.#ids.includes(id) ? undefined : await readLock(this.#objects, id, this.#request.signal);
      if (other !== undefined) yield { id, other };
    }
  }

  async #recover(id: string, other: LockDocument): Promise<void> {
    await this.#objects.delete('locks', [id], this.#request.signal);
    const ageMs = this.#request.clock.now().getTime() - Date.parse(other.time);
    this.recovered.push(`lock of ${describeLock(other, 'from')}, ${formatDuration(ageMs)} ago`);
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
    else if (this.#leftMs() <= 0) this.#lose('the lock could not be refreshed', this.#notRenewed);
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
      if ((await readLock(this.#objects, this.#ids[0]!, signal)) === undefined) return 'removed';
      const next = this.#objects.seal(this.#document());
      this.#doubtful.push(next.id);
      await this.#objects.putSealed('locks', next, signal);
      this.#doubtful = this.#doubtful.filter((id) => id !== next.id);
      const old = this.#ids;
      this.#ids = [next.id, ...old];
      if ((await readLock(this.#objects, old[0]!, signal)) === undefined) return 'removed';
      await this.#objects.delete('locks', old, signal);
      this.#ids = this.#ids.slice(0, 1);
      this.#notRenewed = undefined;
      return 'yes';
    } catch (error) {
      this.#notRenewed = asTidemarkError(error);
      return 'not-now';
    }
  }

  #lose(why: string, cause?: TidemarkError): void {
    const stopped = 'The work was stopped so that nothing is written without a lock. It can be started again.';
    const hint = cause?.hint === undefined ? stopped : `${stopped} ${cause.hint}`;
    const text = cause === undefined ? why : `${why}: ${cause.message}`;
    this.#lost.abort(new TidemarkError('REPOSITORY_LOCK_LOST', text, { hint, cause }));
  }

  #document(): LockDocument {
    const { by, clock, exclusive, use } = this.#request;
    const { holder } = this;
    const time = clock.now().toISOString();
    return { time, exclusive, hostname: by.host, username: by.user, pid: by.pid, holder, use };
  }
}

/** Nothing is deleted without a lock, so a disk without any room is a dead end until somebody knows how little it takes. */
function noRoomForLock(error: TidemarkError): TidemarkError {
  return new TidemarkError(error.code, error.message, {
    subject: error.subject,
    hint: `${error.hint ?? ''} Not even a lock fits, and one free block, mostly of 4 KiB, is enough to begin: delete or move away any file beside the repository, none of its own, then \`tidemark prune --now\` or \`tidemark delete\` make room.`.trim(),
    cause: error,
  });
}
