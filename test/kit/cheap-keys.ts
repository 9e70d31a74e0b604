import type { ScryptCost } from '../../core/repository/index.ts';

/** Opens a repository in no time. What keys of people cost, a tenth of a second a try, was half of the time of many tests. */
export const cheapKeys: ScryptCost = { N: 2, r: 8, p: 1 };
