import { testFullDisks } from './full-disk.ts';

/** `full-disk.soak.ts` has all. */
testFullDisks('third');
