import { requirePlan } from '../applied.ts';
import type { AppliedState, Catalog, RetainedCopy } from '../catalog/index.ts';
import { copyThing } from '../catalog/index.ts';
import { keepingOf } from '../keeping.ts';
import { ownAndForeign } from '../own-copies.ts';
import { type Decision, decide, historiesOf, type Reason, withoutTwins } from '../retention/index.ts';

export type CopyDecision = Decision<RetainedCopy>;

/** What retention comes to, now. Pure data. */
export interface RetentionPlan {
  /** One for each copy that was looked at: by plan and destination, newest first. */
  readonly decisions: readonly CopyDecision[];
  /** Why nobody but a person should let go of what a plan's policy lets go, by plan. */
  readonly doubts: readonly { readonly plan: string; readonly destination: string; readonly text: string }[];
}

/** A repository that is looked into for what is there. */
export interface LookedInto {
  readonly destination: string;
  snapshotIds(): Promise<ReadonlySet<string>>;
}

/**
 * Decides about the backups of these applied plans, or of all plans; by the applied policies, whatever the files say.
 * Without names also those of no applied plan are told, which all stay. What the catalog knows and `place` lacks counts
 * for nothing: it would keep itself, and let those go that are there. Throws PLAN_NOT_FOUND.
 */
export async function planRetention(
  catalog: Catalog,
  plans: readonly string[],
  now: Date,
  place?: LookedInto,
): Promise<RetentionPlan> {
  for (const plan of plans) await requirePlan(catalog, plan);
  const state = await catalog.state.read();
  const copies = await catalog.retained.list(plans.length > 0 ? plans : await knownPlans(catalog));
  const reading = await copiesBeingRead(catalog);
  const present = await place?.snapshotIds(); // after the catalog was read: a backup is recorded when it is there
  const isLost = ({ destination, snapshot }: RetainedCopy) =>
    destination === place?.destination && present?.has(snapshot) === false;
  const judged = [
    ...historiesOf(copies.filter((copy) => !isLost(copy))).map((history) => judge(history, state, reading, now)),
    allStaying(copies.filter(isLost), lost),
  ];
  return { decisions: judged.flatMap((one) => one.decisions), doubts: judged.flatMap((one) => one.doubts) };
}

async function knownPlans({ backups }: Catalog): Promise<readonly string[]> {
  return [...new Set((await backups.totals()).map(({ plan }) => plan))];
}

async function copiesBeingRead({ jobs }: Catalog): Promise<ReadonlySet<string>> {
  const active = await jobs.list({ states: ['queued', 'running'], limit: Number.MAX_SAFE_INTEGER });
  return new Set(active.flatMap(({ uses }) => uses.map(({ thing }) => thing)));
}

function judge(
  history: readonly RetainedCopy[],
  { resources }: AppliedState,
  reading: ReadonlySet<string>,
  now: Date,
): RetentionPlan {
  const { plan, destination } = history[0]!;
  const applied = resources.get(`plans.${plan}`);
  if (applied === undefined) return allStaying(history, { rule: 'no-plan', text: 'its plan is not applied' });
  const { policy, timezone } = keepingOf(applied, resources);
  if (policy === undefined) return allStaying(history, { rule: 'no-policy', text: 'its plan has no retention' });
  const { own, foreign } = ownAndForeign(history, resources);
  const { counting, twins } = withoutTwins(own);
  const candidates = counting.map((copy) => ({ ...copy, copy, restoring: reading.has(copyThing(copy)) }));
  const { decisions, doubt } = decide(candidates, policy, { now, timezone });
  return {
    decisions: [
      ...decisions.map(({ backup, ...rest }) => ({ ...rest, backup: backup.copy })),
      ...allStaying(twins, twin).decisions,
      ...allStaying(foreign, elsewhere).decisions,
    ],
    doubts: doubt === undefined ? [] : [{ plan, destination, text: doubt }],
  };
}

const elsewhere: Reason = {
  rule: 'elsewhere',
  text: 'an import found it, and it does not show what its plan backs up',
};

const twin: Reason = {
  rule: 'twin',
  text: 'another snapshot of the same backup counts; `tidemark catalog import` tells how to remove it',
};

const lost: Reason = { rule: 'lost', text: 'its snapshot is not in the repository, so it counts for nothing' };

/** What was begun to be deleted goes on being so. */
function allStaying(copies: readonly RetainedCopy[], reason: Reason): RetentionPlan {
  const decisions = copies.map((backup): CopyDecision => {
    if (!backup.expiring) return { backup, keep: true, reasons: [reason] };
    return { backup, keep: false, reasons: [{ rule: 'expiring', text: 'it is expiring already' }] };
  });
  return { decisions, doubts: [] };
}
