import type { AppliedState } from '../catalog/index.ts';
import { type Resource, splitAddress } from '../config/index.ts';
import type { DriverProblem } from '../driver/index.ts';
import { sameIdentity } from '../driver/index.ts';
import { asTidemarkError, TidemarkError } from '../error.ts';
import type { Action } from './change-set.ts';
import { changedFields, passiveFields } from './fields.ts';

/** How resources are tried out; `core/operation` knows drivers and repositories, this room does not. */
export interface Probes {
  /** Reachable, allowed, and who it is: `SourceSession.probe`. */
  source(resource: Resource, signal: AbortSignal): Promise<Probed>;
  /**
   * Reachable and writable, and its repository opened; the identity is the repository's id. Where there is no repository,
   * `make` makes one and `look` throws REPOSITORY_MISSING.
   */
  destination(resource: Resource, signal: AbortSignal, missing: 'make' | 'look'): Promise<Probed>;
}

export interface Probed {
  /** May be absent where there is an error among the problems. */
  readonly identity?: string;
  readonly problems?: readonly DriverProblem[];
}

/** Something that a person should know of and that did not stop `apply`. */
export interface ApplyWarning {
  readonly address: string;
  readonly summary: string;
  readonly hint?: string;
}

export interface ProbeOutcome {
  readonly identities: ReadonlyMap<string, string>;
  readonly warnings: readonly ApplyWarning[];
}

/** Probes every source and destination that is added or changes in more than words. Throws for all that fail together. */
export async function probeActions(
  actions: readonly Action[],
  applied: AppliedState,
  probes: Probes,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const attempts = actions.filter(needsProbe).map((action) => () => probeOne(action, applied, probes, signal));
  const outcomes = await settleFewAtOnce(attempts);
  signal.throwIfAborted();
  const errors = outcomes.flatMap((outcome) => outcome.errors);
  if (errors.length > 0) throw probeFailure(errors);
  return {
    identities: new Map(outcomes.map(({ address, identity }) => [address, identity!])),
    warnings: outcomes.flatMap((outcome) => outcome.warnings),
  };
}

function needsProbe({ kind, address, fields }: Action): boolean {
  if (!/^(sources|destinations)\./.test(address)) return false;
  return kind === 'add' || (kind === 'change' && [...changedFields(fields)].some((field) => !passiveFields.has(field)));
}

/** What probing one resource came to. */
export interface Outcome {
  readonly address: string;
  readonly identity?: string;
  readonly errors: readonly TidemarkError[];
  readonly warnings: readonly ApplyWarning[];
}

async function probeOne(
  { address, renamedFrom, spec }: Action,
  applied: AppliedState,
  probes: Probes,
  signal: AbortSignal,
): Promise<Outcome> {
  const resource = { address, ...splitAddress(address), spec: spec! };
  const outcome = await outcomeOf(address, () => probe(resource, probes, signal, 'make'));
  const before = applied.resources.get(renamedFrom ?? address)?.identity;
  const { identity } = outcome;
  if (before === undefined || identity === undefined || sameIdentity(before, identity)) return outcome;
  return { ...outcome, warnings: [otherIdentity(address, before, identity), ...outcome.warnings] };
}

export function probe(
  resource: Resource,
  probes: Probes,
  signal: AbortSignal,
  missing: 'make' | 'look',
): Promise<Probed> {
  signal.throwIfAborted();
  return resource.collection === 'sources'
    ? probes.source(resource, signal)
    : probes.destination(resource, signal, missing);
}

/** What the driver found, word for word; what probing throws is one error more. */
export async function outcomeOf(address: string, probing: () => Promise<Probed>): Promise<Outcome> {
  try {
    const { identity, problems = [] } = await probing();
    const [errors, warnings] = (['error', 'warning'] as const).map((severity) =>
      problems.filter((problem) => problem.severity === severity),
    );
    return {
      address,
      identity,
      errors: errors!.map(
        ({ summary, hint }) => new TidemarkError('PROBE_FAILED', summary, { subject: address, hint }),
      ),
      warnings: warnings!.map(({ summary, hint }) => ({ address, summary, ...(hint === undefined ? {} : { hint }) })),
    };
  } catch (thrown) {
    return { address, errors: [asTidemarkError(thrown).at(address)], warnings: [] };
  }
}

export function otherIdentity(address: string, before: string, after: string): ApplyWarning {
  if (address.startsWith('sources.')) {
    const summary = `this is another instance than before (${after}, was ${before})`;
    return { address, summary, hint: 'Earlier backups are of the other instance; the next one reads everything.' };
  }
  const summary = `this is another repository than before (${after}, was ${before}); its backups are listed, the other's are not`;
  return { address, summary, hint: 'Run `tidemark catalog import` to list what the repository holds.' };
}

/** One error as it is, or PROBE_FAILED for several; `probeErrors` gives each of them. */
export function probeFailure(errors: readonly TidemarkError[]): TidemarkError {
  if (errors.length === 1) return errors[0]!;
  const subjects = [...new Set(errors.map(({ subject }) => subject))];
  return new TidemarkError('PROBE_FAILED', `${subjects.join(', ')} cannot be used as they are`, {
    hint: 'Nothing was applied. Each of them says what is wrong.',
    cause: new AggregateError(errors),
  });
}

/** Opening a repository takes memory and a core for a moment. */
const atOnce = 4;

export async function settleFewAtOnce<T>(attempts: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results: T[] = [];
  const waiting = attempts.entries();
  const worker = async () => {
    for (const [at, attempt] of waiting) results[at] = await attempt();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
