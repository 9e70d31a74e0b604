import type { AppliedResource, RetainedCopy } from '../catalog/index.ts';
import type { MaxUnused } from '../config/index.ts';
import type { Run } from '../driver/index.ts';
import { freedText, notDeletedText } from '../freed-space.ts';
import { createEmitter } from '../observe/index.ts';
import type { PrunePlan, PruneResult, PruneSummary, Repository, RepositoryLock } from '../repository/index.ts';
import type { Reason } from '../retention/index.ts';
import { formatBytes, formatDuration } from '../units.ts';
import type { OperationContext } from './context.ts';
import { finished, lateText } from './finished.ts';
import { type Deletion, type DoomedCopy, forgetCopies, unfinishedCopies } from './forget-copies.ts';
import { listedBackups, rejectLost } from './lost-backups.ts';
import { appliedResource, openRepository, withSubject } from './open.ts';
import { learnPins } from './pins.ts';
import { type CopyDecision, planRetention, type RetentionPlan } from './plan-retention.ts';
import { recoveredWarnings } from './recovered-locks.ts';

export interface PruneRequest {
  readonly destination: string;
  /** Only backups of these plans are let go; none for all plans. The space of whatever is gone is freed. */
  readonly plans: readonly string[];
  /** The snapshots that a person has seen and agreed to. When left out: what retention lets go, but for what it doubts. */
  readonly agreed?: readonly string[];
  /** At once, with nobody else in the repository. */
  readonly now: boolean;
  readonly graceMs: number;
  readonly maxUnused: MaxUnused;
}

/** What a prune of one destination would come to. Nothing is changed by it. */
export interface PrunePreview {
  readonly destination: string;
  readonly retention: RetentionPlan;
  readonly space?: PruneSummary;
}

/** What a prune came to; the numbers are those of what was done. */
export interface PruneOutcome extends PruneResult {
  readonly expired: readonly DoomedCopy[];
  /** Agreed to, or let go by retention, and there all the same. */
  readonly notExpired: readonly { readonly backup: DoomedCopy; readonly why: string }[];
  readonly waiting: PruneSummary['waiting'];
  readonly warnings: readonly string[];
  /** Something that could go did not. */
  readonly partial: boolean;
}

/** Which backups of a destination stay, and why, by what is there: as a prune would find it. Changes nothing there. */
export async function previewRetention(
  context: OperationContext,
  request: Pick<PruneRequest, 'destination' | 'plans'>,
  signal: AbortSignal,
): Promise<RetentionPlan> {
  const destination = await appliedResource(context, `destinations.${request.destination}`);
  await using open = await openRepository(context, destination, signal);
  return await withSubject(destination.address, async () => {
    await learnPins(context, open.repository, destination.name, signal);
    return await retentionIn(context, request, open.repository);
  });
}

async function retentionIn(
  { catalog, clock }: Pick<OperationContext, 'catalog' | 'clock'>,
  { destination, plans }: Pick<PruneRequest, 'destination' | 'plans'>,
  repository: Repository,
): Promise<RetentionPlan> {
  const place = { destination, snapshotIds: () => repository.snapshotIds() };
  const { decisions, doubts } = await planRetention(catalog, plans, clock.now(), place);
  return {
    decisions: decisions.filter(({ backup }) => backup.destination === destination),
    doubts: doubts.filter((one) => one.destination === destination),
  };
}

/** As `previewRetention`, under a lock, with the space. Throws REPOSITORY_CORRUPT where nothing may be deleted. */
export async function previewPrune(context: OperationContext, request: PruneRequest, run: Run): Promise<PrunePreview> {
  const previews: PrunePreview[] = [];
  await underLock(context, request, run, async ({ repository, lock, work }) => {
    const retention = await retentionIn(context, request, repository);
    const forgetting = retention.decisions.filter(({ keep }) => !keep).map(({ backup }) => backup.snapshot);
    const { summary: space } = await planSpace(context, { repository, lock, work }, { ...request, forgetting });
    previews.push({ destination: request.destination, retention, space });
  });
  return previews[0]!;
}

/**
 * Lets go of what retention lets go now, and of nothing that a person has not agreed to, finishes what was begun to be
 * deleted, and frees the space of all that nothing needs any more. Whatever it dies between, another one goes on from there.
 * Throws REPOSITORY_CORRUPT for a repository that is not whole, before anything goes: what stays may be what is damaged.
 */
export async function runPrune(context: OperationContext, request: PruneRequest, run: Run): Promise<PruneOutcome> {
  return finished<PruneOutcome>(
    async (done) => {
      await underLock(context, request, run, async (place) => done(await pruneUnderLock(context, place, request, run)));
    },
    (outcome, thrown) => ({ ...outcome, warnings: [...outcome.warnings, `space was freed, but ${lateText(thrown)}`] }),
  );
}

interface Place {
  readonly destination: AppliedResource;
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  readonly work: Run & { readonly threads: number };
}

async function underLock(
  context: OperationContext,
  request: PruneRequest,
  run: Run,
  call: (place: Place) => Promise<void>,
): Promise<void> {
  const destination = await appliedResource(context, `destinations.${request.destination}`);
  await using open = await openRepository(context, destination, run.signal);
  await withSubject(destination.address, async () => {
    await using lock = await open.repository.lock(request.now ? 'exclusive' : 'shared', run.signal, 'prune');
    const signal = AbortSignal.any([run.signal, lock.signal]);
    const work = { ...run, signal, threads: context.process.threads };
    await learnPins(context, open.repository, destination.name, signal);
    await call({ destination, repository: open.repository, lock, work });
  });
}

async function pruneUnderLock(
  context: OperationContext,
  { destination, repository, lock, work }: Place,
  request: PruneRequest,
  { progress }: Run,
): Promise<PruneOutcome> {
  const { signal } = work;
  progress.step('deciding which backups stay');
  const retention = await retentionIn(context, request, repository);
  const going = goingNow(retention, request.agreed);
  const unfinished = await unfinishedCopies(context, request.destination);
  const place = { repository, lock, destination: request.destination };
  progress.step('finding out what nothing needs');
  const forgetting = [...unfinished, ...going.copies].map(({ snapshot }) => snapshot);
  const seen = { repository, lock, work };
  const whole = await planSpace(context, seen, { ...request, forgetting }); // what is damaged keeps all that there is
  await context.catalog.retained.seen(request.destination, going.seen);
  progress.step('letting backups go');
  const deletions: readonly Deletion[] = [
    ...(await forgetCopies(context, place, unfinished, { event: 'backup.deleted', signal })),
    ...(await forgetCopies(context, place, going.copies, { event: 'backup.expired', signal })),
  ];
  const asPlanned = deletions.every(({ deleted }) => deleted);
  const plan = asPlanned ? whole : await planSpace(context, seen, request);
  progress.step('freeing space');
  const result = await repository.prune(plan, work);
  const done = outcomeOf(deletions, going, plan, result, context.clock.now());
  const outcome = { ...done, warnings: [...done.warnings, ...recoveredWarnings(lock)] };
  await createEmitter(context.catalog.events)('repository.pruned', destination.address, prunedText(outcome));
  return outcome;
}

/** Throws REPOSITORY_CORRUPT where something is damaged, or was lost that the catalog knows. */
async function planSpace(
  { catalog }: OperationContext,
  { repository, lock, work }: Omit<Place, 'destination'>,
  request: PruneRequest & { readonly forgetting?: readonly string[] },
): Promise<PrunePlan> {
  const { destination, forgetting = [] } = request;
  const listed = await listedBackups(catalog, destination);
  const plan = await repository.planPrune(lock, request, work);
  const { snapshots, summary } = plan;
  const going = new Set(forgetting);
  await rejectLost(catalog, listed, {
    destination,
    has: (snapshot) => snapshots.has(snapshot) || going.has(snapshot),
    hasNone: snapshots.size + going.size === 0,
    unusedBytes: summary.removeBytes + summary.markBytes,
  });
  return plan;
}

interface Going {
  readonly copies: readonly RetainedCopy[];
  /** Agreed to, and kept after all: something has changed since it was shown. */
  readonly kept: readonly CopyDecision[];
  /** Of histories of which a person has now seen backups go that an import brought in: what stays of them. */
  readonly seen: readonly string[];
  /** What is let go by decisions that rest on a clock that may be wrong, or that nobody has agreed to. */
  readonly doubts: RetentionPlan['doubts'];
}

/** What was shown may be the last good one by now, pinned, or being restored; what was not shown stays for another run. */
function goingNow({ decisions, doubts }: RetentionPlan, agreed: PruneRequest['agreed']): Going {
  const open = decisions.filter(({ backup }) => !backup.expiring);
  const doubted = new Set(doubts.map(({ plan }) => plan));
  const isMeant = ({ backup }: CopyDecision) =>
    agreed === undefined ? !doubted.has(backup.plan) : agreed.includes(backup.snapshot);
  const letGo = open.filter(({ keep }) => !keep);
  const looked = new Set(letGo.filter((one) => one.backup.unseen && isMeant(one)).map(({ backup }) => backup.plan));
  const isSeen = ({ backup, reasons }: CopyDecision) =>
    backup.unseen && looked.has(backup.plan) && !reasons.some(({ rule }) => rule === 'elsewhere');
  return {
    copies: letGo.filter(isMeant).map(({ backup }) => backup),
    kept: agreed === undefined ? [] : open.filter((one) => one.keep && isMeant(one)),
    seen: open.filter((one) => one.keep && isSeen(one)).map(({ backup }) => backup.snapshot),
    doubts: doubts.filter(({ plan }) => letGo.some((one) => one.backup.plan === plan && !isMeant(one))),
  };
}

function outcomeOf(
  deletions: readonly Deletion[],
  { kept, doubts }: Going,
  { summary }: PrunePlan,
  result: PruneResult,
  now: Date,
): PruneOutcome {
  const notExpired = [
    ...deletions.flatMap(({ backup, deleted, why = '' }) => (deleted ? [] : [{ backup: named(backup), why }])),
    ...kept.map(({ backup, reasons }) => ({ backup: named(backup), why: `it stays now: ${reasonsText(reasons)}` })),
  ];
  const late = summary.waiting.filter(
    ({ ripeAt, waitsFor }) => waitsFor.length > 0 && Date.parse(ripeAt) < now.getTime(),
  );
  const { lacksRoom, markedAnew } = result;
  const warnings = [
    ...doubts.map(
      ({ plan, text }) => `nothing of plan ${plan} was let go: ${text}; \`tidemark prune ${plan}\` asks a person`,
    ),
    ...(result.heldUpBy === undefined
      ? []
      : [`what could go stayed, because of ${result.heldUpBy}; the next prune tries again`]),
    ...(lacksRoom === undefined ? [] : [noRoomText(lacksRoom)]),
    ...(markedAnew === 0 ? [] : [aheadText(summary.waiting)]),
    ...late.map((mark) => lateMarkText(mark, now)),
  ];
  const expired = deletions.filter(({ deleted }) => deleted).map(({ backup }) => named(backup));
  const partial = notExpired.length + warnings.length > 0;
  return { ...result, expired, notExpired, waiting: summary.waiting, warnings, partial };
}

/** Its own fields and no others: it is kept with the job. */
function named({ id, plan, destination, snapshot }: DoomedCopy): DoomedCopy {
  return { id, plan, destination, snapshot };
}

function lateMarkText({ bytes, markedAt, waitsFor }: PruneSummary['waiting'][number], now: Date): string {
  const since = formatDuration(now.getTime() - Date.parse(markedAt));
  return `${formatBytes(bytes)} that nothing needs since ${since} stay, because of ${waitsFor.join(', ')}`;
}

/** What needs no copies was done. */
function noRoomText({ neededBytes, freeBytes }: NonNullable<PruneResult['lacksRoom']>): string {
  return `packs that are mostly waste stay: to write anew what is needed of them takes ${formatBytes(neededBytes)}, and ${formatBytes(freeBytes)} are free; make room, let more backups go, or set a larger \`maxUnused\` in \`daemon.prune\`, by which less is written anew`;
}

function aheadText(waiting: PruneSummary['waiting']): string {
  const [first] = waiting.filter(({ isAhead }) => isAhead).map(({ markedAt }) => markedAt);
  return `what was marked is dated ${first}, which is still to come: the clock was or is wrong; it is marked anew, and waits from now on`;
}

/** For people: all that keep a backup. */
export function reasonsText(reasons: readonly Reason[]): string {
  return reasons.map(({ text }) => text).join(', ');
}

function prunedText({ expired, notExpired, warnings, gateMs, ...space }: PruneOutcome): string {
  const backups = expired.length === 1 ? '1 backup' : `${expired.length} backups`;
  const gate = gateMs === undefined ? [] : [`nobody could begin for ${formatDuration(gateMs)}`];
  return [`${backups} gone, ${freedText(space)}`, ...gate, ...warnings, ...notDeletedText(notExpired)].join('; ');
}
