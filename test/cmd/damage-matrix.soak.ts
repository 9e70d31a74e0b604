import { testDamages } from './damage-matrix.ts';

testDamages('all');
