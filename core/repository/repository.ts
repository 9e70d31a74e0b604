import crypto from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Store } from '../driver/index.ts';
import { hasCode, TidemarkError } from '../error.ts';
import type { Secret } from '../secret.ts';
import { BackupReading } from './backup-reading.ts';
import { BackupWriting } from './backup-writing.ts';
import type { CatalogView } from './check/catalog-view.ts';
import { type CheckOptions, type CheckReport, check } from './check/check.ts';
import { type KeyMaterial, newKeyMaterial, Sealer } from './format/sealer.ts';
import { formatOneText, upgradeHint } from './format-one.ts';
import { loadIndex } from './index-files.ts';
import type { ScryptCost } from './key-file.ts';
import { addKey, type Identity, type KeyInfo, keysOpenedBy, listKeys, openKey } from './keys.ts';
import type { KitWords } from './kit.ts';
import { RepositoryLock } from './lock.ts';
import type { LockRequest, LockUse } from './lock-document.ts';
import { lostPackWarnings } from './lost-packs.ts';
import { makeKit } from './make-kit.ts';
import { type FormatVersion, openDocument, SealedObjects } from './objects.ts';
import type { RepositoryParts, WorkOptions } from './parts.ts';
import { Pins } from './pins.ts';
import { randomPolynomial } from './polynomial.ts';
import { existing, holdsPacks, readConfig, rejectExisting } from './presence.ts';
import type { PruneOptions } from './prune/options.ts';
import { type PrunePlan, planPrune } from './prune/plan.ts';
import { prune } from './prune/prune.ts';
import type { PruneResult } from './prune/summary.ts';
import { loadReliable, type ReliableIndex } from './reliable-index.ts';
import type { PlanRepairOptions } from './repair/known-manifests.ts';
import type { RepairPlan } from './repair/plan.ts';
import { repair, surveyForRepair } from './repair/repair.ts';
import type { RewriteOptions, SnapshotChange } from './repair/rewrite-snapshots.ts';
import { Salvage } from './salvage.ts';
import { readSnapshot, type Snapshot } from './snapshots.ts';
import { type RepositoryStats, repositoryStats } from './stats/stats.ts';
import { type LockFacts, listLocks } from './unlock.ts';

export interface RepositoryOptions {
  readonly store: Store;
  readonly password: Secret;
  readonly by: Identity & { readonly pid: number };
  readonly clock: Clock;
  readonly processAlive: (pid: number, since?: Date) => boolean;
  /** What a try of a password costs with keys that are made here; what it ought to when not given. */
  readonly keyCost?: ScryptCost;
  /** How long a lock waits to see those that come at once with it; as long as it ought to when not given. */
  readonly lockSettleMs?: number;
}

interface Config {
  readonly version: FormatVersion;
  readonly id: string;
  readonly chunker_polynomial: string;
}

/** A restic repository in a store: of format version 2, or of version 1, which is read and not written to. */
export class Repository {
  /** Random, made at init; the same for all copies of the repository's files. */
  readonly id: string;
  readonly formatVersion: FormatVersion;
  /** Which backups are kept whatever a policy says. */
  readonly pins: Pins;
  readonly #options: RepositoryOptions;
  readonly #master: KeyMaterial;
  readonly #keyId: string;
  readonly #chunker: string;
  readonly #objects: SealedObjects;
  /** As of the first use under a lock; who only reads has all that index files name. */
  #index: Promise<ReliableIndex> | undefined;
  #writes = false;
  #distrusted: ReadonlySet<string> = new Set();
  #salvage: Promise<Salvage> | undefined;

  private constructor(options: RepositoryOptions, key: { id: string; master: KeyMaterial }, config: Config) {
    this.id = config.id;
    this.formatVersion = config.version;
    this.#options = options;
    this.#master = key.master;
    this.#keyId = key.id;
    this.#chunker = config.chunker_polynomial;
    this.#objects = new SealedObjects(options.store, new Sealer(key.master), config.version);
    this.pins = new Pins(this.#objects);
  }

  /** Makes a repository. Throws REPOSITORY_EXISTS. The key comes first and the config last, as in restic. */
  static async init(options: RepositoryOptions, signal?: AbortSignal): Promise<Repository> {
    const { store, password, by, clock, keyCost } = options;
    await rejectExisting(store, signal);
    const master = newKeyMaterial();
    const id = await addKey(store, master, password, by, clock, keyCost);
    const config: Config = {
      version: 2,
      id: crypto.randomBytes(32).toString('hex'),
      chunker_polynomial: randomPolynomial(),
    };
    const sealed = new Sealer(master).seal(Buffer.from(JSON.stringify(config)));
    try {
      await store.put('config', sealed, { ifAbsent: true, signal });
    } catch (error) {
      if (!hasCode(error, 'OBJECT_EXISTS')) throw error;
      await store.delete([`keys/${id}`]); // somebody else was first: our key opens nothing
      throw existing('config');
    }
    return new Repository(options, { id, master }, config);
  }

  /**
   * Throws REPOSITORY_MISSING where there is nothing, REPOSITORY_CORRUPT where a part is missing or damaged,
   * REPOSITORY_PASSWORD; UNSUPPORTED for a format version that is not known.
   */
  static async open(options: RepositoryOptions, signal?: AbortSignal): Promise<Repository> {
    const sealed = await readConfig(options.store, signal);
    const key = await openKey(options.store, options.password, signal);
    const config = openDocument(new Sealer(key.master), 'config', sealed) as Config;
    if (config.version === 1 || config.version === 2) return new Repository(options, key, config);
    throw new TidemarkError(
      'UNSUPPORTED',
      `the repository has format version ${config.version}, and this tidemark knows 1 and 2`,
      { hint: 'Use a newer tidemark, or the restic that made it.' },
    );
  }

  /** Every snapshot, in no order. `onDamaged` gets those that cannot be read; without it the first one throws. */
  async *snapshots(
    signal?: AbortSignal,
    onDamaged?: (error: TidemarkError, id: string) => void,
  ): AsyncGenerator<Snapshot> {
    for await (const id of this.#objects.list('snapshots', signal)) {
      try {
        yield await this.snapshot(id, signal);
      } catch (error) {
        if (hasCode(error, 'BACKUP_NOT_FOUND')) continue; // it was removed after it was listed
        if (!hasCode(error, 'REPOSITORY_CORRUPT') || onDamaged === undefined) throw error;
        onDamaged(error, id);
      }
    }
  }

  /** The ids of all that are listed, also of damaged ones. */
  async snapshotIds(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    for await (const id of this.#objects.list('snapshots', signal)) ids.add(id);
    return ids;
  }

  /** Deletes snapshots; one that is gone counts as deleted. What only they used goes by a prune. Throws REPOSITORY_LOCK_LOST. */
  async forget(lock: RepositoryLock, snapshots: readonly string[], signal: AbortSignal): Promise<void> {
    await lock.confirm();
    await this.#objects.delete('snapshots', snapshots, signal);
  }

  /** No data, and none that an index names: so it is when it is new, or when all was forgotten and pruned. */
  async isEmpty(signal?: AbortSignal): Promise<boolean> {
    if (await holdsPacks(this.#options.store, signal)) return false;
    const damaged: TidemarkError[] = [];
    const index = await loadIndex(this.#objects, signal, { onDamaged: (error) => damaged.push(error) });
    return index.count === 0 && damaged.length === 0;
  }

  /** Throws BACKUP_NOT_FOUND. */
  async snapshot(id: string, signal?: AbortSignal): Promise<Snapshot> {
    try {
      return await readSnapshot(this.#objects, id, signal);
    } catch (cause) {
      if (!hasCode(cause, 'OBJECT_NOT_FOUND')) throw cause;
      throw new TidemarkError('BACKUP_NOT_FOUND', `snapshot ${id.slice(0, 8)} is not in the repository`, {
        hint: 'It may have been removed by another tool. Other backups do not need it. Run `tidemark catalog import` to bring the catalog up to date.',
        cause,
      });
    }
  }

  /**
   * Holds a lock that lets other readers and writers in (shared) or nobody (exclusive). Throws REPOSITORY_LOCKED, not
   * before it has waited two minutes for a prune that takes packs out of the index. What is read and written under a
   * lock for `write` relies on no pack that a prune has marked, that is gone or cut short, or that is `distrusted`: the
   * ids of packs in which a check found something bad.
   */
  async lock(
    kind: 'shared' | 'exclusive',
    signal: AbortSignal,
    use: 'write' | 'read' | 'prune' = 'read',
    distrusted: readonly string[] = [],
  ): Promise<RepositoryLock> {
    const lock = await RepositoryLock.acquire(this.#objects, this.#request(kind, signal, use));
    this.#beginAnew(use, distrusted);
    return lock;
  }

  /** As a shared `lock`, held while `work` is done, which may only read until `lock.settled`. See `RepositoryLock.hold`. */
  underLock<T>(
    use: 'write' | 'read',
    signal: AbortSignal,
    work: (lock: RepositoryLock) => Promise<T>,
    distrusted: readonly string[] = [],
  ): Promise<T> {
    return RepositoryLock.hold(this.#objects, this.#request('shared', signal, use), (lock) => {
      this.#beginAnew(use, distrusted);
      return work(lock);
    });
  }

  #request(kind: 'shared' | 'exclusive', signal: AbortSignal, use: LockUse): LockRequest {
    const { by, clock, processAlive, lockSettleMs: settleMs } = this.#options;
    return { exclusive: kind === 'exclusive', use, by, clock, processAlive, settleMs, signal };
  }

  /** What was known before the lock was there is forgotten: without one somebody may have pruned. */
  #beginAnew(use: LockUse, distrusted: readonly string[]): void {
    this.#writes = use === 'write';
    this.#distrusted = new Set(distrusted);
    this.#index = undefined;
    this.#salvage = undefined;
  }

  /**
   * Whoever changes what the repository holds calls this first. Throws UNSUPPORTED for format version 1, whose programs
   * could not read what we write. Locks and keys are the same in both, and are written to either.
   */
  requireWritable(): void {
    if (this.formatVersion === 2) return;
    throw new TidemarkError('UNSUPPORTED', formatOneText, { hint: upgradeHint });
  }

  /**
   * Starts to write a backup under this lock, which will not rely on packs that are gone; with `treesAgain`, on no folder
   * that was stored before either. Whether the lock is there is looked for before the backup becomes visible. Throws
   * UNSUPPORTED for format version 1.
   */
  async write(
    lock: RepositoryLock,
    options: WorkOptions,
    { treesAgain }: { readonly treesAgain?: boolean } = {},
  ): Promise<BackupWriting> {
    this.requireWritable();
    const { signal } = options;
    if (!this.#writes) this.#index = undefined;
    this.#writes = true;
    const parts = { ...(await this.#parts(signal)), lock };
    const { lost } = await this.#index!;
    return new BackupWriting(parts, options, lostPackWarnings(lost), treesAgain);
  }

  /** Opens the tree of a snapshot for reading. */
  async read(snapshot: Snapshot, options: WorkOptions): Promise<BackupReading> {
    return BackupReading.open(await this.#parts(options.signal), snapshot, options);
  }

  /** Opens the tree of a snapshot in a repository that may be damaged, to bring back whatever is left. */
  async salvage(snapshot: Snapshot, options: WorkOptions): Promise<BackupReading> {
    const known = this.#sealed();
    this.#salvage ??= Salvage.open(known, options.signal);
    const salvage = await this.#salvage.catch((error) => {
      this.#salvage = undefined;
      throw error;
    });
    return BackupReading.salvage({ ...known, index: salvage.index }, salvage, snapshot, options);
  }

  /** Every lock, and whether anybody holds it. */
  locks(signal: AbortSignal): Promise<LockFacts[]> {
    const { by, clock, processAlive } = this.#options;
    return listLocks(this.#objects, { by, clock, processAlive, signal });
  }

  /** What fills the repository, counted under a lock of the caller's. Damage is in the answer; all else is thrown. */
  stats(view: CatalogView, work: WorkOptions): Promise<RepositoryStats> {
    return repositoryStats(this.#sealed(), view, () => this.locks(work.signal), work);
  }

  /** Takes locks away, whoever holds them: work under one that is held ends with REPOSITORY_LOCK_LOST. */
  removeLocks(ids: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#objects.delete('locks', ids, signal);
  }

  /**
   * What a repair would do, under a shared lock of the caller's; changes nothing. With `read: 'none'` data is read only of
   * `suspects` and of packs that are not as the index says. Throws DESTINATION_DENIED for what cannot be read: nothing is
   * known of it.
   */
  async planRepair(options: PlanRepairOptions, work: WorkOptions): Promise<RepairPlan> {
    this.requireWritable();
    return surveyForRepair(this.#sealed(), options, work);
  }

  /**
   * Executes a plan under an exclusive lock. Killed anywhere, what could be read before can be read still, and another
   * repair does the rest. Throws CHANGE_STALE when the repository is not what the plan was made for.
   */
  async repair(
    lock: RepositoryLock,
    plan: RepairPlan,
    options: RewriteOptions,
    work: WorkOptions,
  ): Promise<SnapshotChange[]> {
    this.requireWritable();
    try {
      return await repair({ ...this.#sealed(), lock }, plan, options, work);
    } finally {
      this.#index = undefined;
    }
  }

  /** Looks whether the repository is whole, under a lock of the caller's. Damage is in the report; all else is thrown. */
  check(options: CheckOptions, work: WorkOptions): Promise<CheckReport> {
    return check(this.#sealed(), { ...options, formatVersion: this.formatVersion }, work);
  }

  /**
   * Finds out what is used of every pack, and what a prune would do. Needs a lock for `prune`: a shared one, beside which
   * others work on; with `now` an exclusive one. Changes nothing. Throws UNSUPPORTED for format version 1, and
   * REPOSITORY_CORRUPT where anything is damaged or missing: nothing is deleted from a repository that is not understood.
   */
  async planPrune(lock: RepositoryLock, options: PruneOptions, work: WorkOptions): Promise<PrunePlan> {
    this.requireWritable();
    const signal = AbortSignal.any([work.signal, lock.signal]);
    return planPrune(this.#sealed(), lock, options, this.#options.clock.now().getTime(), { ...work, signal });
  }

  /**
   * Executes a plan under the lock that it was made under, once. It may end anywhere: the repository stays valid, and the
   * next prune goes on. See docs/decisions/2026-11-27-prune-without-stopping-backups.md.
   */
  async prune(plan: PrunePlan, work: WorkOptions): Promise<PruneResult> {
    const { by, clock } = this.#options;
    return prune(this.#sealed(), plan, { by: by.host, clock }, work);
  }

  #sealed() {
    return { store: this.#options.store, objects: this.#objects, key: this.#master };
  }

  /** Its keys; `current` opened it. Damaged and weak ones are told, not thrown. */
  keys(signal?: AbortSignal): Promise<(KeyInfo & { current: boolean })[]> {
    return listKeys(this.#options.store, signal).then((keys) =>
      keys.map((key) => ({ ...key, current: key.id === this.#keyId })),
    );
  }

  /** The ids of the keys that this password opens. Takes a tenth of a second per key. */
  keysOpenedBy(password: Secret, signal?: AbortSignal): Promise<string[]> {
    return keysOpenedBy(this.#options.store, password, signal);
  }

  /** Lets another password open the repository. Gives the id of its key. */
  addKey(password: Secret): Promise<string> {
    const { store, by, clock, keyCost } = this.#options;
    return addKey(store, this.#master, password, by, clock, keyCost);
  }

  /** A recovery kit, as text: it opens the repository whatever becomes of `keys/`. See `kit.ts`; never to be logged. */
  makeKit(words: KitWords): Promise<string> {
    const own = { id: this.id, chunker: this.#chunker, master: this.#master };
    return makeKit(own, words, this.#options.keyCost);
  }

  /**
   * Throws JOB_CONFLICT for the key in use, unless the same password opens another one: the repository must stay open to
   * whoever removes keys.
   */
  async removeKey(id: string, signal?: AbortSignal): Promise<void> {
    if (id === this.#keyId) await this.#requireAnother(id, signal);
    await this.#options.store.delete([`keys/${id}`]);
  }

  async #requireAnother(id: string, signal?: AbortSignal): Promise<void> {
    const opened = await this.keysOpenedBy(this.#options.password, signal);
    if (opened.some((other) => other !== id)) return;
    throw new TidemarkError('JOB_CONFLICT', 'the key that is in use cannot be removed', {
      hint: 'Open the repository with another password first, then remove this key.',
    });
  }

  /** A backup or restore works with one view of the repository. */
  async #parts(signal: AbortSignal): Promise<RepositoryParts> {
    this.#index ??= this.#loadIndex(signal);
    const { index } = await this.#index;
    return { ...this.#sealed(), index };
  }

  async #loadIndex(signal: AbortSignal) {
    try {
      if (this.#writes) return await loadReliable(this.#options.store, this.#objects, this.#distrusted, signal);
      return { index: await loadIndex(this.#objects, signal), lost: new Set<string>() };
    } catch (error) {
      this.#index = undefined;
      throw error;
    }
  }
}
