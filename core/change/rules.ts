import type { Collection } from '../config/index.ts';
import { destinationRules } from './destination-rules.ts';
import { planRules } from './plan-rules.ts';
import { retentionRules } from './retention-rules.ts';
import type { Rules } from './rule.ts';
import { sourceRules } from './source-rules.ts';

export const rules: Readonly<Partial<Record<Collection, Rules>>> = {
  sources: sourceRules,
  destinations: destinationRules,
  retention: retentionRules,
  plans: planRules,
};
