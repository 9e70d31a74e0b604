import { Option } from 'commander';
import type { LogLevel } from '../../core/observe/index.ts';
import type { Register } from '../verb.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

export const registerDaemon: Register = (program, bind) => {
  program
    .command('daemon')
    .description('Run the schedules, follow the configuration files, and serve /metrics, /healthz and /readyz.')
    .addOption(new Option('--log-level <level>', 'the least that is logged').choices(levels).default('info'))
    .option('--drain <duration>', 'how long running jobs may go on after the first signal to end', '60s')
    .action(
      bind(
        async (workspace, options: { logLevel: LogLevel; drain: string }) => {
          const { serve } = await import('../serve.ts');
          return serve(workspace, options);
        },
        { windsDown: true },
      ),
    );
};
