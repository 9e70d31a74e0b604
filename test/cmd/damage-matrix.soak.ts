import { damages, testDamages } from './damage-matrix.ts';

testDamages(Object.keys(damages) as (keyof typeof damages)[]);
