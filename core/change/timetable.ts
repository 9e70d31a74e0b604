import type { Resource } from '../config/index.ts';
import { sameTimes, type Timetable } from '../schedule/index.ts';
import { parseDuration } from '../units.ts';
import type { Action } from './change-set.ts';
import { stringIn } from './spec.ts';

/** When a plan runs, read from its spec alone: no driver is needed for it. */
export function timetableOf({ name, spec }: Pick<Resource, 'name' | 'spec'>): Timetable {
  return {
    name,
    schedule: stringIn(spec, 'schedule'),
    timezone: stringIn(spec, 'timezone') ?? 'UTC',
    jitterMs: parseDuration(stringIn(spec, 'jitter') ?? '0s'),
  };
}

/**
 * The plans among these actions, by their new names, whose timing begins anew: a new plan, and one that gets another
 * timetable. What was due by the old one is not held against the new one. Any other change, and a rename, leaves the
 * scheduling where it stands, so that a missed run is still caught up.
 */
export function retimedPlans(actions: readonly Action[], applied: ReadonlyMap<string, Resource>): readonly string[] {
  return actions.flatMap(({ address, renamedFrom, spec }) => {
    if (spec === undefined || !address.startsWith('plans.')) return [];
    const name = address.slice('plans.'.length);
    const before = applied.get(renamedFrom ?? address);
    const goesOn = before !== undefined && sameTimes(timetableOf(before), timetableOf({ name, spec }));
    return goesOn ? [] : [name];
  });
}
