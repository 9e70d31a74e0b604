import { parseDuration } from '../units.ts';

/** A resource of `retention:` with units parsed and defaults filled in. A count of 0 and a span of 0 keep nothing. */
export interface RetentionPolicy extends Readonly<Record<Counted, number>> {
  readonly withinMs: number;
  readonly recoveryMs: number;
  /** At least 1. */
  readonly minimum: number;
}

/** The rules that keep so many of something, as restic's `--keep-…` do. */
export const countedRules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Counted = (typeof countedRules)[number];

/** Of a spec that the schema lets through. Throws CONFIG_INVALID for a span that is none. */
export function retentionPolicy(spec: Readonly<Record<string, unknown>>): RetentionPolicy {
  const [last, hourly, daily, weekly, monthly, yearly] = countedRules.map((rule) => numberIn(spec, rule, 0));
  return {
    last: last!,
    hourly: hourly!,
    daily: daily!,
    weekly: weekly!,
    monthly: monthly!,
    yearly: yearly!,
    withinMs: spanIn(spec, 'within'),
    recoveryMs: spanIn(spec, 'recovery'),
    minimum: numberIn(spec, 'minimum', 1),
  };
}

/** No rule of it keeps anything: what `minimum` and the last good backup keep is no policy that anybody meant. */
export function keepsNothing(policy: RetentionPolicy): boolean {
  return countedRules.every((rule) => policy[rule] === 0) && policy.withinMs === 0 && policy.recoveryMs === 0;
}

function numberIn(spec: Readonly<Record<string, unknown>>, field: string, otherwise: number): number {
  const value = spec[field];
  return typeof value === 'number' ? value : otherwise;
}

function spanIn(spec: Readonly<Record<string, unknown>>, field: string): number {
  const value = spec[field];
  return typeof value === 'string' ? parseDuration(value) : 0;
}
