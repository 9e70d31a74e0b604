import { namesIn, requirePlan } from '../../core/applied.ts';
import type { Job } from '../../core/catalog/index.ts';
import { asTidemarkError, TidemarkError } from '../../core/error.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { type PruneJobResult, pruneJob } from '../../core/job/index.ts';
import type { PrunePreview, PruneRequest } from '../../core/operation/index.ts';
import { jobJson } from '../../core/overview/index.ts';
import type { Workspace } from '../compose.ts';
import { canAsk, confirm, rejectUnasked } from '../confirm.ts';
import { followJob } from '../follow-job.ts';
import type { Register } from '../verb.ts';
import { errorJson, errorText } from '../views/errors.ts';
import { noProgress } from '../views/progress.ts';
import { prunedText, prunePreviewText } from '../views/prune.ts';
import { count } from '../views/words.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly autoApprove?: boolean;
  readonly now?: boolean;
}

/** One destination, as far as it came. */
interface Pruned {
  readonly request: PruneRequest;
  readonly preview?: PrunePreview;
  readonly job?: Job;
  readonly error?: TidemarkError;
}

export const registerPrune: Register = (program, bind) => {
  program
    .command('prune')
    .description('Delete the backups that no rule of their plan keeps, and free the space of all that nothing needs.')
    .argument('[plan...]', 'only backups of these plans; space is freed in the destinations that they are in')
    .option('--dry-run', 'show what stays and what goes, each with its reasons, and change nothing')
    .option('--now', 'free space at once, without grace, while nobody else is in the repository: for a full disk')
    .option('--auto-approve', 'do not ask')
    .action(
      bind(
        async (workspace, plans: readonly string[], options: Options) => {
          const requests = await requestsFor(workspace, plans, options);
          const previews = await eachOf(requests, (request) => preview(workspace, request, options));
          if (options.dryRun) return show(workspace, previews, true);
          const agreed = await agree(workspace, previews, options.autoApprove === true);
          const pruned = await eachOf(agreed, (one) => prune(workspace, one));
          return show(workspace, pruned, false);
        },
        { windsDown: true },
      ),
    );
};

/** One for each destination that the plans write to or have backups in; without plans for all. Throws PLAN_NOT_FOUND. */
async function requestsFor(workspace: Workspace, plans: readonly string[], { now = false }: Options) {
  const catalog = await workspace.catalog();
  const { prune } = await workspace.daemonSettings();
  for (const plan of plans) await requirePlan(catalog, plan);
  const state = await catalog.state.read();
  const written = plans.flatMap((plan) => state.resources.get(`plans.${plan}`)!.spec.destinations as string[]);
  const held = (await catalog.retained.list(plans)).map(({ destination }) => destination);
  const wanted = new Set([...written, ...held]);
  const destinations = namesIn(state, 'destinations').filter((name) => plans.length === 0 || wanted.has(name));
  if (destinations.length === 0) {
    throw new TidemarkError('NOT_APPLIED', 'no destination is applied', { hint: 'Run `tidemark apply` first.' });
  }
  const { graceMs, maxUnused } = prune;
  return destinations.map((destination): PruneRequest => ({ destination, plans, now, graceMs, maxUnused }));
}

/** A destination that cannot be reached costs itself, and the verb does not end well. */
async function eachOf<One>(all: readonly One[], call: (one: One) => Promise<Pruned>): Promise<readonly Pruned[]> {
  const pruned: Pruned[] = [];
  for (const one of all) pruned.push(await call(one));
  return pruned;
}

/** With the space where somebody looks at it: finding out reads all trees. */
async function preview(workspace: Workspace, request: PruneRequest, options: Options): Promise<Pruned> {
  const { previewPrune, previewRetention } = await import('../../core/operation/index.ts');
  const context = await workspace.operationContext();
  const { destination } = request;
  const run = { signal: workspace.signal, progress: noProgress };
  const isSeen = options.dryRun === true || (options.autoApprove !== true && canAsk(workspace));
  try {
    if (isSeen) return { request, preview: await previewPrune(context, request, run) };
    return { request, preview: { destination, retention: await previewRetention(context, request, workspace.signal) } };
  } catch (thrown) {
    workspace.signal.throwIfAborted();
    return { request, error: asTidemarkError(thrown) };
  }
}

/** What was shown is all that may go. Decisions in doubt need a person. Throws USAGE where nobody can be asked, CANCELLED. */
async function agree(
  workspace: Workspace,
  previews: readonly Pruned[],
  autoApprove: boolean,
): Promise<readonly Pruned[]> {
  const { output } = workspace;
  for (const { preview: one } of previews) if (one !== undefined) output.say(prunePreviewText(one, output.messageLook));
  const going = previews.flatMap((one) => goingIn(one.preview)).length;
  if (going > 0 && !autoApprove) {
    rejectUnasked(workspace);
    for (const { error } of previews) if (error !== undefined) output.say(errorText(error, output.messageLook));
    await confirm(workspace, `Delete ${count(going, 'backup')} for good?`);
  }
  const agreedIn = ({ preview: one }: Pruned) => goingIn(one, !autoApprove);
  return previews.map((one) => ({ ...one, request: { ...one.request, agreed: agreedIn(one) } }));
}

function goingIn(preview: PrunePreview | undefined, alsoInDoubt = true): readonly string[] {
  if (preview === undefined) return [];
  const { decisions, doubts } = preview.retention;
  return decisions
    .filter(({ keep, backup }) => !keep && !backup.expiring)
    .filter(({ backup }) => alsoInDoubt || !doubts.some(({ plan }) => plan === backup.plan))
    .map(({ backup }) => backup.snapshot);
}

/** Also what could not be looked at, without a backup that may go: its job keeps the error for `tidemark status`. */
async function prune(workspace: Workspace, one: Pruned): Promise<Pruned> {
  try {
    return {
      ...one,
      job: await followJob(workspace, pruneJob(one.request, 'manual'), `prune ${one.request.destination}`),
    };
  } catch (thrown) {
    workspace.signal.throwIfAborted();
    return { ...one, error: asTidemarkError(thrown) };
  }
}

function show({ output }: Workspace, all: readonly Pruned[], dryRun: boolean): number {
  const text = () =>
    all
      .map(({ request, preview: seen, job }) => {
        if (job !== undefined) return prunedText(request.destination, resultOf(job));
        return dryRun && seen !== undefined ? prunePreviewText(seen, output.look) : '';
      })
      .join('');
  if (!output.json) {
    for (const { job } of all)
      for (const warning of job === undefined ? [] : resultOf(job).warnings) output.warn(warning);
  }
  output.result(text, { dryRun, destinations: all.map(prunedJson) });
  const errors = all.flatMap(({ error }) => error ?? []);
  if (!output.json) for (const error of errors) output.draw(errorText(error, output.messageLook));
  return exitCode(all, errors);
}

function prunedJson({ request: { destination }, preview: seen, job, error }: Pruned) {
  return {
    destination,
    decisions: (seen?.retention.decisions ?? []).map(({ backup, keep, reasons }) => {
      const { id, snapshot, plan, source, consistentAt, sizeBytes, partial } = backup;
      return { backup: id, snapshot, plan, source, consistentAt, sizeBytes, partial, keep, reasons };
    }),
    doubts: seen?.retention.doubts ?? [],
    ...(seen?.space === undefined ? {} : { space: seen.space }),
    ...(job === undefined ? {} : { job: jobJson(job) }),
    ...(error === undefined ? {} : { error: errorJson(error) }),
  };
}

function resultOf(job: Job): PruneJobResult {
  return job.result as unknown as PruneJobResult;
}

/** The error of all, or that some of it was not done. */
function exitCode(all: readonly Pruned[], [first, ...more]: readonly TidemarkError[]): number {
  if (first === undefined) return all.some(({ job }) => job?.state === 'partial') ? exitCodes.partial : exitCodes.ok;
  return 1 + more.length === all.length ? exitCodes[first.kind] : exitCodes.partial;
}
