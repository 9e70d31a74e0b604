import type { Register } from '../../verb.ts';
import { registerCheck } from './check.ts';

export const registerRepository: Register = (program, bind) => {
  const repository = program.command('repository').description("Look after a destination's repository.");
  registerCheck(repository, bind);
};
