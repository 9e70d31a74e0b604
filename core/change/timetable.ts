import { type Resource, timetableSettings } from '../config/index.ts';
import { sameTimes, type Timetable } from '../schedule/index.ts';
import type { Action } from './change-set.ts';

export function timetableOf({ name, spec }: Pick<Resource, 'name' | 'spec'>): Timetable {
  return { name, ...timetableSettings(spec) };
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
