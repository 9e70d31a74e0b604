import { testRepairs } from './repairs.ts';

testRepairs('all');
