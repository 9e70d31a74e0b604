import type { Register } from '../../verb.ts';
import { registerCheck } from './check.ts';
import { registerRepair } from './repair.ts';
import { registerStats } from './stats.ts';
import { registerUnlock } from './unlock.ts';

export const registerRepository: Register = (program, bind) => {
  const repository = program.command('repository').description("Look after a destination's repository.");
  registerCheck(repository, bind);
  registerRepair(repository, bind);
  registerStats(repository, bind);
  registerUnlock(repository, bind);
};
