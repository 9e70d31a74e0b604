import type { RepositoryOptions, ScryptCost } from '../../core/repository/index.ts';

/** Opens a repository in no time. What keys of people cost, a tenth of a second a try, was half of the time of many tests. */
export const cheapKeys: ScryptCost = { N: 2, r: 8, p: 1 };

/** For repositories to which no two come at once: every lock waited a fifth of a second. Tests of locks keep the real time. */
export const quick = { keyCost: cheapKeys, lockSettleMs: 1 } as const satisfies Partial<RepositoryOptions>;
