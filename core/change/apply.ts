import type { AppliedState, Catalog } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import { type Resource, splitAddress } from '../config/index.ts';
import { TidemarkError } from '../error.ts';
import { type Action, type ChangeSet, type Consequence, hasRefusals, isDestructive, isEmpty } from './change-set.ts';
import { diff } from './diff.ts';
import { expiringIds } from './expiry.ts';
import { fingerprintOf } from './fingerprint.ts';
import { lookAtApplied } from './look.ts';
import { observe } from './observe.ts';
import { type ApplyWarning, type Probes, probeActions } from './probe.ts';
import { retimedPlans } from './timetable.ts';

export interface ApplyInput {
  readonly changeSet: ChangeSet;
  readonly catalog: Catalog;
  readonly probes: Probes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ApplyResult {
  readonly state: AppliedState;
  readonly warnings: readonly ApplyWarning[];
  /** Of an empty change set: why what is applied already cannot be used as it is. */
  readonly unusable: readonly TidemarkError[];
}

/**
 * Makes the change set the applied state: exactly its actions, in one transaction, after everything that it adds or
 * changes was probed. When this throws nothing was applied; a destination may have got its empty repository already.
 * An empty change set applies nothing, and looks at what is applied instead.
 *
 * Throws CHANGE_STALE when the applied state, or what the change would touch, is not what the change set was made for;
 * CHANGE_REFUSED; what a probe threw, or PROBE_FAILED for several (see `probeErrors`).
 */
export async function apply({ changeSet, catalog, probes, clock, signal }: ApplyInput): Promise<ApplyResult> {
  refuseRefused(changeSet);
  const state = await catalog.state.read();
  refuseStale(changeSet, state);
  const since = clock.now();
  if (isEmpty(changeSet)) return { state, ...(await lookAtApplied(state, probes, clock, signal)) };
  await refuseOvertaken(changeSet, state, catalog, clock);
  const probed = await unlessStale(changeSet, catalog, () => probeActions(changeSet.actions, state, probes, signal));
  signal.throwIfAborted();
  await refuseOvertaken(changeSet, state, catalog, clock); // probes take their time
  const applied = await catalog.state.commit({
    expectedSerial: changeSet.serial,
    put: puts(changeSet).map((resource) => ({ ...resource, identity: probed.identities.get(resource.address) })),
    remove: removes(changeSet),
    rename: renames(changeSet),
    retime: { plans: retimedPlans(changeSet.actions, state.resources), since },
    event: { kind: 'change.applied', level: 'info', subject: 'configuration', text: describe(changeSet) },
  });
  return { state: applied, warnings: probed.warnings, unusable: [] };
}

function refuseRefused({ actions }: ChangeSet): void {
  const refused = actions.filter((action) => action.kind === 'refuse');
  if (refused.length > 0) throw refusal(refused);
}

function refusal(refused: readonly Action[]): TidemarkError {
  const [first] = refused;
  const others = refused.length > 1 ? `, and ${refused.length - 1} more` : '';
  return new TidemarkError('CHANGE_REFUSED', `${first!.address}: ${first!.reason}${others}`, {
    subject: first!.address,
    hint: first!.hint,
  });
}

function refuseStale(changeSet: ChangeSet, state: AppliedState): void {
  if (changeSet.fingerprint !== fingerprintOf(changeSet)) throw stale('was edited after it was saved');
  if (changeSet.lineage !== state.lineage) throw stale('was made for another catalog');
  if (changeSet.serial !== state.serial) {
    throw stale(`was made for serial ${changeSet.serial}, the applied state has ${state.serial}`);
  }
}

/** What a probe finds wrong may be what another apply is just doing; then that is what has to be said. */
async function unlessStale<T>(changeSet: ChangeSet, catalog: Catalog, probing: () => Promise<T>): Promise<T> {
  try {
    return await probing();
  } catch (thrown) {
    refuseStale(changeSet, await catalog.state.read());
    throw thrown;
  }
}

function stale(text: string): TidemarkError {
  return new TidemarkError('CHANGE_STALE', `the change set ${text}`, {
    hint: 'Run `tidemark plan` again and apply what it shows.',
  });
}

/** The applied state is the same, but backups may have come since: they may forbid the change or make it destructive. */
async function refuseOvertaken(
  changeSet: ChangeSet,
  applied: AppliedState,
  catalog: Catalog,
  clock: Clock,
): Promise<void> {
  const desired = { resources: desiredBy(changeSet, applied), position: () => undefined };
  const observed = await observe(catalog, { desired: desired.resources, applied: applied.resources });
  const again = diff({ desired, applied, observed, now: clock.now() });
  if (hasRefusals(again)) refuseRefused(again);
  if (isDestructive(again) && !isDestructive(changeSet)) throw stale('has become destructive since it was made');
  const shown = new Set(expiringIds(consequencesOf(changeSet)));
  if (expiringIds(consequencesOf(again)).some((id) => !shown.has(id))) {
    throw stale('would let backups expire that it does not show');
  }
}

function consequencesOf({ actions }: ChangeSet): readonly Consequence[] {
  return actions.flatMap(({ consequences }) => consequences);
}

function desiredBy(changeSet: ChangeSet, { resources }: AppliedState): ReadonlyMap<string, Resource> {
  const desired = new Map<string, Resource>(resources);
  for (const address of removes(changeSet)) desired.delete(address);
  for (const { from } of renames(changeSet)) desired.delete(from);
  for (const { address, renamedFrom, spec } of changeSet.actions) {
    const old = renamedFrom === undefined ? {} : { renamedFrom: splitAddress(renamedFrom).name };
    if (spec !== undefined) desired.set(address, { address, ...splitAddress(address), spec: { ...spec, ...old } });
  }
  return desired;
}

function puts({ actions }: ChangeSet): readonly Resource[] {
  return actions.flatMap(({ address, spec }) =>
    spec === undefined ? [] : [{ address, ...splitAddress(address), spec }],
  );
}

function removes({ actions }: ChangeSet): readonly string[] {
  return actions.filter(({ kind }) => kind === 'remove').map(({ address }) => address);
}

function renames({ actions }: ChangeSet): readonly { from: string; to: string }[] {
  return actions.flatMap(({ address, renamedFrom }) =>
    renamedFrom === undefined ? [] : [{ from: renamedFrom, to: address }],
  );
}

function describe({ summary, serial }: ChangeSet): string {
  return `serial ${serial + 1}: ${summary.add} added, ${summary.change} changed, ${summary.remove} removed`;
}
