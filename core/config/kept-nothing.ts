import { countedRules, keepsNothing, retentionPolicy } from '../retention/index.ts';
import type { Finding } from './explain.ts';

/**
 * A retention that the schema lets through and that keeps nothing is a slip: one that was followed would cost all backups
 * but one. The first rule that stands there is pointed at.
 */
export function keptNothing(spec: Readonly<Record<string, unknown>>): Finding[] {
  if (!keepsNothing(retentionPolicy(spec))) return [];
  const rule = [...countedRules, 'within', 'recovery'].find((one) => Object.hasOwn(spec, one));
  return [
    {
      code: 'bad-value',
      summary: 'no rule of it keeps a backup: all of them are 0',
      hint: 'Let at least one keep something, such as `last: 3`. To keep everything, give the plan no retention.',
      path: rule === undefined ? [] : [rule],
      part: 'value',
    },
  ];
}
