import { testKills } from './kills.ts';
import { pruneWorks } from './works.ts';

testKills(pruneWorks, 30);
