import type { AppliedResource, AppliedState } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import { sameIdentity } from '../driver/index.ts';
import type { TidemarkError } from '../error.ts';
import { otherRepository } from '../other-repository.ts';
import { limitProbes } from './limit-probes.ts';
import {
  type ApplyWarning,
  type Outcome,
  otherIdentity,
  outcomeOf,
  type Probes,
  probe,
  settleFewAtOnce,
} from './probe.ts';

export interface AppliedFindings {
  readonly warnings: readonly ApplyWarning[];
  /** What needs a person, before a backup of it can succeed. */
  readonly unusable: readonly TidemarkError[];
}

/** How long one may take to answer, and all of them together. */
const oneMs = 10_000;
const allMs = 60_000;

/**
 * Probes what is applied and changes nothing. What does not answer is a warning only: it may be back before its next
 * backup, and the daemon waits for it.
 */
export async function lookAtApplied(
  { resources }: AppliedState,
  probes: Probes,
  clock: Clock,
  signal: AbortSignal,
): Promise<AppliedFindings> {
  const limited = limitProbes(probes, clock, oneMs);
  const probed = [...resources.values()].filter(({ collection }) => /^(sources|destinations)$/.test(collection));
  const late = AbortSignal.timeout(allMs);
  const outcomes = await settleFewAtOnce(
    probed.map((resource) => async () => (late.aborted ? undefined : await look(resource, limited, signal))),
  );
  signal.throwIfAborted();
  const seen = outcomes.filter((outcome) => outcome !== undefined);
  const errors = seen.flatMap((outcome) => outcome.errors);
  const away = errors.filter(({ kind }) => kind === 'network');
  return {
    warnings: [
      ...seen.flatMap((outcome) => outcome.warnings),
      ...away.map(notThere),
      ...(seen.length < outcomes.length ? [notSeen(outcomes.length - seen.length)] : []),
    ],
    unusable: errors.filter(({ kind }) => kind !== 'network'),
  };
}

async function look(resource: AppliedResource, probes: Probes, signal: AbortSignal): Promise<Outcome> {
  const { address, identity: applied } = resource;
  const outcome = await outcomeOf(address, () => probe(resource, probes, signal, 'look'));
  const { identity } = outcome;
  if (resource.collection === 'destinations') {
    const other = otherRepository(address, applied, identity);
    return other === undefined ? outcome : { ...outcome, errors: [...outcome.errors, other] };
  }
  if (applied === undefined || identity === undefined || sameIdentity(applied, identity)) return outcome;
  return { ...outcome, warnings: [...outcome.warnings, otherIdentity(address, applied, identity)] };
}

function notThere({ subject, message, hint }: TidemarkError): ApplyWarning {
  const advice = hint ?? 'Its scheduled plans wait until it answers.';
  return { address: subject!, summary: `it does not answer: ${message}`, hint: advice };
}

function notSeen(count: number): ApplyWarning {
  return {
    address: 'configuration',
    summary: `${count} sources and destinations were not looked at: the others took ${allMs / 1000} s`,
  };
}
