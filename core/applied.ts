import type { AppliedResource, AppliedState, Catalog, PlanStatus } from './catalog/index.ts';
import { type Collection, type Drivers, type PlanSettings, planSettings } from './config/index.ts';
import { TidemarkError } from './error.ts';
import { firstOf } from './first-of.ts';
import { nearest } from './nearest.ts';

/** The applied state with this plan in it. Throws PLAN_NOT_FOUND, with the nearest name. */
export async function requirePlan(catalog: Catalog, name: string): Promise<AppliedState> {
  const state = await catalog.state.read();
  if (state.resources.has(`plans.${name}`)) return state;
  throw new TidemarkError('PLAN_NOT_FOUND', `there is no plan \`${name}\` in the applied configuration`, {
    hint: nameHint(name, namesIn(state, 'plans'), 'plan'),
  });
}

/** The settings of an applied plan. Throws PLAN_NOT_FOUND. */
export async function appliedPlan(catalog: Catalog, drivers: Drivers, name: string): Promise<PlanSettings> {
  const { resources } = await requirePlan(catalog, name);
  return planSettings(resources.get(`plans.${name}`)!, resources, drivers);
}

/** All plans of the applied state, by name. */
export function appliedPlans({ resources }: AppliedState, drivers: Drivers): readonly PlanSettings[] {
  return [...resources.values()]
    .filter(({ collection }) => collection === 'plans')
    .map((plan) => planSettings(plan, resources, drivers));
}

/** The name of the source or destination for whose sake a plan is suspended. */
export function suspendedFor(
  plan: PlanSettings,
  reason: NonNullable<PlanStatus['suspended']>['reason'],
): string | undefined {
  return reason === 'source-down' ? plan.source : plan.destinations[0];
}

/** Throws NOT_APPLIED, with the nearest name. */
export async function requireResource(
  catalog: Catalog,
  collection: Collection,
  name: string,
): Promise<AppliedResource> {
  const state = await catalog.state.read();
  const resource = state.resources.get(`${collection}.${name}`);
  if (resource !== undefined) return resource;
  throw notApplied(state, collection, name);
}

/** `further` is one more sentence of the hint. */
export function notApplied(state: AppliedState, collection: Collection, name: string, further?: string): TidemarkError {
  const address = `${collection}.${name}`;
  const hint = nameHint(name, namesIn(state, collection), nouns[collection]);
  return new TidemarkError('NOT_APPLIED', `${address} is not in the applied configuration`, {
    subject: address,
    hint: further === undefined ? hint : `${hint} ${further}`,
  });
}

const nouns: Readonly<Record<Collection, string>> = {
  sources: 'source',
  destinations: 'destination',
  retention: 'retention',
  plans: 'plan',
};

export function namesIn({ resources }: Pick<AppliedState, 'resources'>, collection: Collection): readonly string[] {
  return [...resources.values()].filter((one) => one.collection === collection).map(({ name }) => name);
}

/** What to do about a name that is not there. */
export function nameHint(name: string, known: readonly string[], noun: string): string {
  const like = nearest(name, known);
  if (like !== undefined) return `Did you mean \`${like}\`?`;
  if (known.length === 0) return `No ${noun} is applied yet: run \`tidemark apply\`.`;
  const shown = firstOf(
    known.map((one) => `\`${one}\``),
    12,
  );
  return `Applied: ${shown}. Run \`tidemark apply\` for what you added to the files.`;
}
