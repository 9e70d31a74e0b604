import { testRepairs } from './repairs.ts';

testRepairs('third');
