import { hasCode } from '../../error.ts';
import { survey } from '../check/survey.ts';
import { loadIndex } from '../index-files.ts';
import type { RepositoryLock } from '../lock.ts';
import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { fingerprintOf, staleRepair } from './fingerprint.ts';
import { knownManifests, type PlanRepairOptions } from './known-manifests.ts';
import { asPlaced, placeMisplaced, planMisplaced } from './misplaced.ts';
import { planRepair, type RepairPlan } from './plan.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { type RewriteOptions, rewriteSnapshots, type SnapshotChange } from './rewrite-snapshots.ts';

type Parts = Omit<RepositoryParts, 'index'>;

/** See `Repository.planRepair`. */
export async function surveyForRepair(
  parts: Parts,
  options: PlanRepairOptions,
  work: WorkOptions,
): Promise<RepairPlan> {
  const fingerprint = await fingerprintOf(parts.store, work.signal);
  const misplaced = await planMisplaced(parts.store, work.signal);
  const seen = await survey(
    { ...parts, store: asPlaced(parts.store, misplaced) },
    { ...options, readUnindexed: true },
    work,
  );
  const denied = [...seen.badPacks, ...seen.snapshots.bad].find(({ error }) => hasCode(error, 'DESTINATION_DENIED'));
  if (denied !== undefined) throw denied.error;
  return planRepair(seen, fingerprint, await knownManifests(seen, options.manifestOf), misplaced);
}

/** See `Repository.repair`. */
export async function repair(
  parts: Parts & { readonly lock: RepositoryLock },
  plan: RepairPlan,
  options: RewriteOptions,
  { signal, progress }: WorkOptions,
): Promise<SnapshotChange[]> {
  if ((await fingerprintOf(parts.store, signal)) !== plan.fingerprint) throw staleRepair();
  progress.step('rebuilding the index');
  await placeMisplaced(parts.store, plan.misplaced, signal);
  await rebuildIndex(parts, plan, parts.lock.holder, signal);
  progress.step('rewriting backups');
  const index = await loadIndex(parts.objects, signal);
  return rewriteSnapshots({ ...parts, index }, plan.snapshots, options, signal);
}
