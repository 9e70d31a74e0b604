import { testDeaths } from './death.ts';

testDeaths('all');
