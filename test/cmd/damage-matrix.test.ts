import { testDamages } from './damage-matrix.ts';

/** The two that nothing else looks like; `damage-matrix.soak.ts` has all. */
testDamages(['flipped', 'deleted']);
