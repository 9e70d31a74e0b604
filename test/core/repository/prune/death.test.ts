import { testDeaths } from './death.ts';

/** `death.soak.ts` has all; `../death` kills the same prunes at every change of a file. */
testDeaths('third');
