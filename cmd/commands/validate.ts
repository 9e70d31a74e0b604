import { hasErrors } from '../../core/diagnostic.ts';
import { exitCodes } from '../../core/error-codes.ts';
import { invalidConfiguration } from '../output.ts';
import type { Register } from '../verb.ts';
import { count } from '../views/words.ts';

export const registerValidate: Register = (program, bind) => {
  program
    .command('validate')
    .description('Check the configuration and say everything that is wrong with it.')
    .option('--no-secrets', 'do not check that secrets can be read')
    .action(
      bind(async ({ configuration, output }, options: { secrets: boolean }) => {
        const { diagnostics, files, configuration: loaded } = await configuration(options);
        const valid = !hasErrors(diagnostics);
        if (!valid && !output.json) throw invalidConfiguration(diagnostics);
        output.diagnostics(output.json ? [] : diagnostics);
        const resources = count(loaded?.resources.size ?? 0, 'resource');
        output.result(`valid: ${resources} in ${count(files.length, 'file')}\n`, { valid, files, diagnostics });
        return valid ? exitCodes.ok : exitCodes.config;
      }),
    );
};
