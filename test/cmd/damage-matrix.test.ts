import { testDamages } from './damage-matrix.ts';

/** `damage-matrix.soak.ts` has all. */
testDamages('seventh');
