import { hasCode } from '../../error.ts';
import { type Survey, survey } from '../check/survey.ts';
import { loadIndex } from '../index-files.ts';
import type { RepositoryLock } from '../lock.ts';
import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { Pins } from '../pins.ts';
import { setAside } from '../set-aside.ts';
import { fingerprintOf, staleRepair } from './fingerprint.ts';
import { knownManifests, type PlanRepairOptions } from './known-manifests.ts';
import { asPlaced, placeMisplaced, planMisplaced } from './misplaced.ts';
import { planRepair, type RepairPlan } from './plan.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { type RewriteOptions, rewriteSnapshots, type SnapshotChange } from './rewrite-snapshots.ts';
import { halfWay, neededBytes, rejectFull } from './room.ts';

type Parts = Omit<RepositoryParts, 'index'>;

/** See `Repository.planRepair`. */
export async function surveyForRepair(
  parts: Parts,
  options: PlanRepairOptions,
  work: WorkOptions,
): Promise<RepairPlan> {
  const fingerprint = await fingerprintOf(parts.store, work.signal);
  const misplaced = await planMisplaced(parts.store, work.signal);
  const seen = await surveyAll({ ...parts, store: asPlaced(parts.store, misplaced) }, options, work);
  const denied = [...seen.badPacks, ...seen.snapshots.bad].find(({ error }) => hasCode(error, 'DESTINATION_DENIED'));
  if (denied !== undefined) throw denied.error;
  const manifests = await knownManifests(seen, options.manifestOf);
  const plan = planRepair(seen, fingerprint, manifests, misplaced, options.knownPins ?? []);
  const needsBytes = await neededBytes(parts.store, plan, work.signal);
  const freeBytes = await parts.store.freeBytes?.(work.signal);
  return { ...plan, needsBytes, ...(freeBytes !== undefined && { freeBytes }) };
}

/**
 * Once more where backups lose something by packs that were not read: what does not open of these is to be known one by
 * one, and what does to be saved.
 */
async function surveyAll(parts: Parts, options: PlanRepairOptions, work: WorkOptions): Promise<Survey> {
  const seen = await survey(parts, { ...options, readUnindexed: true }, work);
  const read = new Set(seen.badPacks.map(({ pack }) => pack.id));
  const causes = seen.hurt.flatMap(({ causes }) => [...causes.keys()]);
  const packs = new Set(causes.flatMap((cause) => (typeof cause === 'number' ? seen.packs.facts(cause).id : [])));
  if (packs.isSubsetOf(read)) return seen;
  return await survey(
    parts,
    { ...options, suspects: [...(options.suspects ?? []), ...packs], readUnindexed: true },
    work,
  );
}

/** See `Repository.repair`. */
export async function repair(
  parts: Parts & { readonly lock: RepositoryLock },
  plan: RepairPlan,
  options: RewriteOptions,
  { signal, progress }: WorkOptions,
): Promise<SnapshotChange[]> {
  if ((await fingerprintOf(parts.store, signal)) !== plan.fingerprint) throw staleRepair();
  await rejectFull(parts.store, plan, signal);
  let done = 'before the index was whole';
  let rewritten = 0;
  const onChange: RewriteOptions['onChange'] = async (change) => {
    await options.onChange(change);
    rewritten += 1;
    done = `the index is whole, and ${rewritten} of ${plan.snapshots.length} snapshots are dealt with`;
  };
  try {
    progress.step('rebuilding the index');
    await placeMisplaced(parts.store, plan.misplaced, signal);
    await rebuildIndex(parts, plan, parts.lock.holder, signal);
    done = `the index is whole, and none of ${plan.snapshots.length} snapshots is dealt with`;
    await mendNotes(parts, plan, signal);
    progress.step('rewriting backups');
    const index = await loadIndex(parts.objects, signal);
    return await rewriteSnapshots({ ...parts, index }, plan.snapshots, { ...options, onChange }, signal);
  } catch (thrown) {
    throw halfWay(thrown, done);
  }
}

/** May be done again. Whoever counts pins counts too many at most. */
async function mendNotes({ store, objects }: Parts, { marks, pins }: RepairPlan, signal: AbortSignal): Promise<void> {
  const all = new Pins(objects);
  for (const pin of pins.putBack) await all.add(pin, signal);
  for (const id of pins.setAside) await setAside(store, `pins/${id}`, signal);
  for (const id of marks) await setAside(store, `marks/${id}`, signal);
}
