import type { AppliedState } from '../catalog/index.ts';
import { type Configuration, collections, type Resource } from '../config/index.ts';
import {
  type Action,
  actionKinds,
  type ChangeSet,
  type ChangeSummary,
  type FieldChange,
  formatPath,
} from './change-set.ts';
import { changedFields, diffFields } from './fields.ts';
import { fingerprintOf } from './fingerprint.ts';
import { figures, heldBackups } from './held-backups.ts';
import type { Observed } from './observed.ts';
import { findRenames, renameObserved, renameResources } from './rename.ts';
import type { PlacedDriver, Verdict, World } from './rule.ts';
import { rules } from './rules.ts';
import { settledSpec } from './spec.ts';

export interface DiffInput {
  readonly desired: Pick<Configuration, 'resources' | 'position'>;
  readonly applied: AppliedState;
  readonly observed: Observed;
  readonly now: Date;
  /** Only what consequences say depends on them. */
  readonly destinations?: readonly PlacedDriver[];
}

/** What makes the applied state the desired one. Pure: no input is read but these. */
export function diff({ desired, applied, observed, now, destinations = [] }: DiffInput): ChangeSet {
  const renames = findRenames(desired.resources, applied.resources);
  const world: World = {
    desired: settledResources(desired.resources),
    applied: renameResources(applied.resources, renames),
    observed: renameObserved(observed, renames),
    destinations,
    now,
  };
  const actions = [...world.desired.values()].flatMap((after) => {
    const old = renames.get(after.address);
    const action = addOrChange(after, applied.resources.get(old ?? after.address), old, world);
    return action === undefined ? [] : [withPosition(action, desired)];
  });
  const removals = [...world.applied.values()].filter(({ address }) => !world.desired.has(address));
  actions.push(...removals.map((before) => removal(before, world)));
  return changeSetOf(applied, actions, now);
}

function settledResources(resources: ReadonlyMap<string, Resource>): ReadonlyMap<string, Resource> {
  const settled = [...resources.values()].map((resource) => ({ ...resource, spec: settledSpec(resource) }));
  return new Map(settled.map((resource) => [resource.address, resource]));
}

/** `stored` is the applied resource as it is; the world has it with the renames done, which is what rules compare with. */
function addOrChange(
  after: Resource,
  stored: Resource | undefined,
  renamedFrom: string | undefined,
  world: World,
): Action | undefined {
  const before = world.applied.get(after.address);
  if (stored === undefined || before === undefined) return addition(after, world);
  const fields = diffFields(stored.spec, after.spec);
  if (fields.length === 0 && renamedFrom === undefined) return undefined;
  const real = diffFields(before.spec, after.spec);
  const verdict = real.length === 0 ? {} : rules[after.collection]?.change?.(before, after, changedFields(real), world);
  const reason = changeReason(real, renamedFrom);
  const action = actionOf('change', after, reason, verdict ?? {}, { fields, spec: after.spec });
  if (renamedFrom === undefined) return action;
  return { ...action, renamedFrom, consequences: [...movedBackups(after, world), ...action.consequences] };
}

function addition(after: Resource, world: World): Action {
  const verdict = rules[after.collection]?.add?.(after, world) ?? {};
  return actionOf('add', after, 'not applied yet', verdict, { fields: diffFields({}, after.spec), spec: after.spec });
}

function removal(before: Resource, world: World): Action {
  const verdict = rules[before.collection]?.remove?.(before, world) ?? {};
  const fields = verdict.refuse === undefined ? diffFields(before.spec, {}) : [];
  return actionOf('remove', before, 'no longer in the configuration', { ...verdict, destructive: true }, { fields });
}

function actionOf(
  kind: 'add' | 'change' | 'remove',
  { address }: Resource,
  reason: string,
  { refuse, consequences = [], destructive = false }: Verdict,
  content: Pick<Action, 'fields' | 'spec'>,
): Action {
  if (refuse === undefined) return { kind, address, reason, consequences, destructive, ...content };
  const { fields } = content;
  return {
    kind: 'refuse',
    address,
    reason: refuse.reason,
    hint: refuse.hint,
    consequences,
    destructive: false,
    fields,
  };
}

function changeReason(real: readonly FieldChange[], renamedFrom: string | undefined): string {
  const moved =
    renamedFrom === undefined ? 'follows what it refers to, which is renamed' : `renamed from ${renamedFrom}`;
  if (real.length === 0) return moved;
  const differs = `differs in ${real.map(({ path }) => formatPath(path)).join(', ')}`;
  return renamedFrom === undefined ? differs : `${moved}, ${differs}`;
}

function movedBackups({ collection, name }: Resource, world: World): Action['consequences'] {
  const field = ({ plans: 'plan', sources: 'source', destinations: 'destination' } as const)[collection as 'plans'];
  const held = field === undefined ? undefined : heldBackups(world, { [field]: name });
  if (held === undefined || held.copies === 0) return [];
  const text = `its ${held.copies} ${held.copies === 1 ? 'backup' : 'backups'} and its status move to the new name`;
  return [{ kind: 'backups-moved', text, ...figures(held) }];
}

function withPosition(action: Action, desired: DiffInput['desired']): Action {
  const position = desired.position(action.address);
  return position === undefined ? action : { ...action, position };
}

function changeSetOf({ lineage, serial }: AppliedState, unordered: readonly Action[], now: Date): ChangeSet {
  const actions = [...unordered].sort(compareActions);
  const fingerprint = fingerprintOf({ lineage, serial, actions });
  return {
    format: 1,
    lineage,
    serial,
    createdAt: now.toISOString(),
    fingerprint,
    actions,
    summary: summarise(actions),
  };
}

const phases: Readonly<Record<Action['kind'], number>> = { refuse: 0, add: 1, change: 1, remove: 2 };

function compareActions(a: Action, b: Action): number {
  if (phases[a.kind] !== phases[b.kind]) return phases[a.kind] - phases[b.kind];
  const direction = a.kind === 'remove' ? -1 : 1;
  const collection = ({ address }: Action) => collections.findIndex((name) => address.startsWith(`${name}.`));
  return direction * (collection(a) - collection(b)) || (a.address < b.address ? -1 : 1);
}

function summarise(actions: readonly Action[]): ChangeSummary {
  const [refuse, add, change, remove] = actionKinds.map((kind) => actions.filter((one) => one.kind === kind).length);
  const destructive = actions.filter((action) => action.destructive).length;
  return { add: add!, change: change!, remove: remove!, refuse: refuse!, destructive };
}
