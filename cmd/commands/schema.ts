import { assembleSchema } from '../../core/config/index.ts';
import { exitCodes } from '../../core/error-codes.ts';
import type { Register } from '../verb.ts';

export const registerSchema: Register = (program, bind) => {
  program
    .command('schema')
    .description('Print the JSON Schema of a configuration file, for editors.')
    .action(
      bind(async ({ drivers, output }) => {
        output.raw(`${JSON.stringify(assembleSchema(await drivers()), undefined, 2)}\n`);
        return exitCodes.ok;
      }),
    );
};
