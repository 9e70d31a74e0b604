import { namesIn } from './applied.ts';
import type { AppliedState } from './catalog/index.ts';
import { type Collection, splitAddress } from './config/index.ts';
import { TidemarkError } from './error.ts';
import { firstOf } from './first-of.ts';
import { nearest } from './nearest.ts';

/** A label that is asked for: `team=shop`. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

/** What something belongs to, by name; as backups, jobs and plans know it. */
export interface Belonging {
  readonly plan?: string;
  readonly source?: string;
  readonly destinations?: readonly string[];
}

/**
 * Tells what belongs to resources that have every one of these labels: each on its plan, its source or a destination, as
 * applied. Throws NOT_APPLIED for a label that nothing has: a slip of the pen must not look like an empty list.
 */
export function labelFilter(state: AppliedState, labels: readonly Label[]): (one: Belonging) => boolean {
  for (const label of labels) requireLabel(state, label);
  return ({ plan, source, destinations = [] }) => {
    const addresses = [`plans.${plan}`, `sources.${source}`, ...destinations.map((name) => `destinations.${name}`)];
    return labels.every((label) => addresses.some((address) => hasLabel(state, address, label)));
  };
}

/** What the resource of an address belongs to: a plan also to what it refers to. */
export function belongingOf({ resources }: AppliedState, address: string): Belonging {
  const { collection, name } = splitAddress(address);
  if (collection === 'sources') return { source: name };
  if (collection === 'destinations') return { destinations: [name] };
  const spec = collection === 'plans' ? resources.get(address)?.spec : undefined;
  if (spec === undefined) return {};
  return { plan: name, source: String(spec.source), destinations: spec.destinations as string[] };
}

const labelled = ['plans', 'sources', 'destinations'] as const satisfies readonly Collection[];

function hasLabel({ resources }: AppliedState, address: string, { key, value }: Label): boolean {
  const labels = (resources.get(address)?.spec.labels ?? {}) as Readonly<Record<string, string>>;
  return Object.hasOwn(labels, key) && labels[key] === value;
}

function requireLabel(state: AppliedState, label: Label): void {
  const addresses = labelled.flatMap((collection) => namesIn(state, collection).map((name) => `${collection}.${name}`));
  if (addresses.some((address) => hasLabel(state, address, label))) return;
  const known = new Set(
    addresses.flatMap((address) =>
      Object.entries(state.resources.get(address)?.spec.labels ?? {}).map(([key, value]) => `${key}=${value}`),
    ),
  );
  const text = `${label.key}=${label.value}`;
  const like = nearest(text, known);
  throw new TidemarkError('NOT_APPLIED', `no applied plan, source or destination has the label ${text}`, {
    hint: like === undefined ? labelsHint([...known]) : `Did you mean \`${like}\`?`,
  });
}

function labelsHint(known: readonly string[]): string {
  if (known.length === 0)
    return 'No applied resource has labels: write `labels: { team: shop }` and run `tidemark apply`.';
  const shown = firstOf(
    known.map((one) => `\`${one}\``),
    12,
  );
  return `There are: ${shown}.`;
}
