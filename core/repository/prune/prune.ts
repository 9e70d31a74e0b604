import type { Clock } from '../../clock.ts';
import { TidemarkError } from '../../error.ts';
import { toHex } from '../format/blob-id.ts';
import type { RepositoryParts } from '../parts.ts';
import { copyUsed, verifyRelied } from './copy.ts';
import { type Verdict, verdicts } from './decide.ts';
import { takeGate, unindexRipe } from './gate.ts';
import type { MarkedPacks, MarkWitness } from './marks.ts';
import type { PruneWork } from './options.ts';
import { holdersOf, type PlanState, type PruneParts, type PrunePlan } from './plan.ts';
import { deletePacks, Going, unindex } from './removal.ts';
import { roomLacking } from './room.ts';
import type { PruneResult } from './summary.ts';

export interface PruneRun {
  readonly by: string;
  readonly clock: Clock;
}

/** Marks of more packs would take much memory to write and read. */
const packsPerMark = 20_000;

/**
 * Does what the plan says, under its lock. Whenever it ends, by itself, by a signal or by a power cut: the repository is
 * valid, every snapshot restores, and another prune goes on from there. Throws REPOSITORY_CORRUPT when a blob that is to
 * be kept turns out to be damaged: then packs that were ripe may have been removed, and nothing more was marked; and
 * CHANGE_STALE, before anything is done, while a snapshot is there that the plan took for gone.
 */
export async function prune(parts: PruneParts, plan: PrunePlan, run: PruneRun, work: PruneWork): Promise<PruneResult> {
  const { state } = plan;
  if (state.done.begun) throw new TidemarkError('BUG', 'a prune plan is good for one execution');
  if (state.lock.use !== 'prune') throw new TidemarkError('BUG', 'a prune needs a lock for `prune`');
  state.done.begun = true;
  const signal = AbortSignal.any([work.signal, state.lock.signal]);
  await rejectUnforgotten(parts, state, signal);
  const job = new PruneJob(parts, state, run, { ...work, signal });
  return state.options.now ? job.atOnce() : job.inTurn();
}

/** What the plan took for gone must be gone: nobody has walked its trees. */
async function rejectUnforgotten(
  { objects }: PruneParts,
  { options: { forgetting = [] } }: PlanState,
  signal: AbortSignal,
): Promise<void> {
  const meant = new Set(forgetting);
  if (meant.size === 0) return;
  for await (const id of objects.list('snapshots', signal)) if (meant.has(id)) throw stillThere(id);
}

function stillThere(id: string): TidemarkError {
  return new TidemarkError(
    'CHANGE_STALE',
    `the plan counts on snapshot ${id.slice(0, 8)} being gone, and it is there`,
    {
      hint: 'Nothing was removed. Run `tidemark prune` again.',
    },
  );
}

class PruneJob {
  readonly #parts: RepositoryParts;
  readonly #state: PlanState;
  readonly #run: PruneRun;
  readonly #work: PruneWork;
  readonly #result = {
    removedPacks: 0,
    removedBytes: 0,
    markedPacks: 0,
    markedBytes: 0,
    copiedBytes: 0,
    netBytes: 0,
    markedAnew: 0,
    lacksRoom: undefined as PruneResult['lacksRoom'],
    gateMs: undefined as PruneResult['gateMs'],
    rescuedPacks: 0,
    heldUpBy: undefined as string | undefined,
  };

  constructor(parts: PruneParts, state: PlanState, run: PruneRun, work: PruneWork) {
    this.#parts = { ...parts, index: state.view.index };
    this.#state = state;
    this.#run = run;
    this.#work = work;
  }

  /** What is ripe goes first, which makes room for what is copied; then new marks. */
  async inTurn(): Promise<PruneResult> {
    const { ripe } = this.#state;
    if (ripe.length > 0) await this.#removeRipe();
    await this.#deleteMarks([], this.#state.marks.useless);
    await this.#mark();
    return this.#told();
  }

  /** Under an exclusive lock: what nothing needs goes before anything is written anew. */
  async atOnce(): Promise<PruneResult> {
    const { marks, stored, view, orphanVerdict } = this.#state;
    const unused = new Going();
    this.#eachPack('mark', (pack) => unused.packs.set(pack));
    for (let orphan = 0; orphan < stored.orphans.count; orphan++) {
      if (verdicts[orphanVerdict(orphan)]!.action === 'mark') unused.orphans.push(stored.orphans.idOf(orphan));
    }
    await this.#removeNow(unused);
    const partly = new Going();
    this.#eachPack('repack', (pack) => partly.packs.set(pack));
    if (await this.#hasRoom()) {
      await this.#copy();
      await view.extend(this.#work.signal);
      await this.#removeNow(partly);
    }
    const ids = marks.marks.map(({ id }) => id);
    await this.#deleteMarks(ids, [...marks.marks.flatMap(({ witnesses }) => witnesses), ...marks.useless]);
    return this.#told();
  }

  #told(): PruneResult {
    const { lacksRoom, gateMs, ...result } = this.#result;
    const netBytes = result.removedBytes - result.copiedBytes;
    return { ...result, netBytes, ...(lacksRoom && { lacksRoom }), ...(gateMs !== undefined && { gateMs }) };
  }

  async #removeNow(going: Going): Promise<void> {
    const { lock, view } = this.#state;
    const change = { view, goes: (pack: number) => going.packs.has(pack), untouched: new Set<string>() };
    await verifyRelied(this.#parts, this.#state.use, change.goes, this.#work.signal);
    await unindex(this.#parts, change, () => lock.confirm(), this.#work.signal);
    await this.#delete(going);
  }

  async #removeRipe(): Promise<void> {
    const { lock, ripe, use } = this.#state;
    this.#work.progress.step('reading the copies that stay');
    // Once more: what was whole when it was marked has lain there for the grace period.
    await verifyRelied(this.#parts, use, (pack) => this.#is(pack, 'remove'), this.#work.signal);
    this.#work.progress.step('waiting for the gate');
    const gate = await takeGate(lock, ripe);
    if (gate instanceof TidemarkError) {
      this.#result.heldUpBy = gate.message;
      return;
    }
    const sinceMs = this.#run.clock.monotonicMs();
    const removal = await this.#underGate(gate);
    this.#result.gateMs = Math.round(this.#run.clock.monotonicMs() - sinceMs);
    this.#result.rescuedPacks = removal.rescued;
    await this.#delete(removal.going);
    const inTheirPlace = new Set(ripe.flatMap(({ anew = [] }) => anew));
    const done = [...ripe, ...this.#state.replaced.filter(({ id }) => inTheirPlace.has(id))];
    await this.#deleteMarks(
      done.map(({ id }) => id),
      done.flatMap(({ witnesses }) => witnesses),
    );
  }

  /** Short: whoever wants to begin waits meanwhile. */
  async #underGate(gate: Awaited<ReturnType<PlanState['lock']['under']>>) {
    await using held = gate;
    this.#work.progress.step('taking packs out of the index');
    const signal = AbortSignal.any([this.#work.signal, held.signal]);
    return await unindexRipe(this.#parts, this.#state, held, signal);
  }

  async #delete(going: Going): Promise<void> {
    const { lock, stored } = this.#state;
    this.#work.progress.step('deleting packs');
    this.#result.removedPacks += await deletePacks(this.#parts, lock, going, this.#work.signal);
    for (const [pack, bytes] of stored.sizes.entries()) if (going.packs.has(pack)) this.#result.removedBytes += bytes;
    for (const id of going.orphans) this.#result.removedBytes += stored.orphanSizes[stored.orphans.numberOf(id)!]!;
  }

  /** The mark before what belongs to it, which alone says nothing. */
  async #deleteMarks(marks: readonly string[], others: readonly string[]): Promise<void> {
    for (const ids of [marks, others]) {
      if (ids.length > 0) await this.#parts.objects.delete('marks', ids, this.#work.signal);
    }
  }

  async #mark(): Promise<void> {
    const { use, ahead } = this.#state;
    const hasRoom = await this.#hasRoom();
    const actions: readonly Verdict['action'][] = hasRoom ? ['mark', 'repack'] : ['mark'];
    const packs = await this.#toMark(actions);
    await verifyRelied(this.#parts, use, (pack) => this.#is(pack, ...actions), this.#work.signal);
    if (hasRoom) await this.#copy();
    const ids: string[] = [];
    for (let at = 0; at < packs.length; at += packsPerMark) {
      ids.push(await this.#writeMark(packs.slice(at, at + packsPerMark)));
    }
    for (const mark of ahead) ids.push(await this.#putMark({ packs: mark.packs, anew: [mark.id] }));
    this.#result.markedAnew = ahead.length;
    await this.#witness(ids);
  }

  /** Looks before anything is copied: a copy that ends on a full disk has freed nothing. */
  async #hasRoom(): Promise<boolean> {
    const { use, freeBytes: known } = this.#state;
    if (known === undefined) return true;
    const packs: number[] = [];
    this.#eachPack('repack', (pack) => packs.push(pack));
    if (packs.length === 0) return true;
    const freeBytes = (await this.#parts.store.freeBytes?.(this.#work.signal)) ?? known;
    this.#result.lacksRoom = roomLacking(use, packs, freeBytes);
    return this.#result.lacksRoom === undefined;
  }

  async #copy(): Promise<void> {
    const { lock, use } = this.#state;
    this.#work.progress.step('copying what is used of packs that go');
    const repacked = (pack: number) => this.#is(pack, 'repack');
    this.#result.copiedBytes += await copyUsed(this.#parts, lock, use, repacked, this.#work);
  }

  async #toMark(actions: readonly Verdict['action'][]): Promise<MarkedPacks['packs']> {
    const { view, stored, orphanVerdict } = this.#state;
    const packs: { id: string; sizeBytes: number }[] = [];
    const add = (pack: number) => packs.push({ id: toHex(view.index.packId(pack)), sizeBytes: stored.sizes[pack]! });
    for (const action of actions) this.#eachPack(action, add);
    if (stored.orphans.count === 0 || (await this.#indexHasGrown())) return packs;
    for (const [orphan, sizeBytes] of stored.orphanSizes.entries()) {
      if (verdicts[orphanVerdict(orphan)]!.action !== 'mark') continue;
      packs.push({ id: toHex(stored.orphans.idOf(orphan)), sizeBytes });
    }
    return packs;
  }

  /** Then some pack that no index named may be named now, by a backup that came and went since. */
  async #indexHasGrown(): Promise<boolean> {
    const { view } = this.#state;
    const known = new Set(view.files);
    await view.extend(this.#work.signal);
    return view.files.size > known.size;
  }

  async #writeMark(packs: MarkedPacks['packs']): Promise<string> {
    const id = await this.#putMark({ packs });
    this.#result.markedPacks += packs.length;
    this.#result.markedBytes += packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return id;
  }

  async #putMark(marked: Pick<MarkedPacks, 'packs' | 'anew'>): Promise<string> {
    const { by } = this.#run;
    const document: MarkedPacks = { format: 1, markedAt: this.#run.clock.now().toISOString(), by, ...marked };
    await this.#state.lock.confirm();
    return this.#parts.objects.put('marks', document, this.#work.signal);
  }

  /**
   * Looks at the locks now that the marks are durable: whoever is not there has read them, or will. One that looks stale is
   * there: its holder may wake up and renew it.
   */
  async #witness(written: readonly string[]): Promise<void> {
    const { lock, marks } = this.#state;
    const unseen = marks.marks.filter(({ holders }) => holders === undefined).map(({ id }) => id);
    const ids = [...unseen, ...written];
    if (ids.length === 0) return;
    const holders = [...holdersOf(await lock.others({ alsoStale: true }))];
    for (const of of ids) {
      const document: MarkWitness = { format: 1, of, holders };
      await this.#parts.objects.put('marks', document, this.#work.signal);
    }
  }

  #is(pack: number, ...actions: Verdict['action'][]): boolean {
    const verdict = verdicts[this.#state.decided[pack] ?? 0]!;
    return actions.includes(verdict.action);
  }

  #eachPack(action: Verdict['action'], tell: (pack: number) => void): void {
    for (let pack = 0; pack < this.#state.decided.length; pack++) if (this.#is(pack, action)) tell(pack);
  }
}
