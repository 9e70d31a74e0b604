import { testKills } from './kills.ts';
import { backupWorks } from './works.ts';

testKills(backupWorks, 9);
