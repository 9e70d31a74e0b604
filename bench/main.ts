import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../test/kit/process.ts';
import { files } from './files.ts';
import { idle } from './idle.ts';
import { openLab } from './lab.ts';
import { logical } from './logical.ts';
import { resticPrograms } from './restic-programs.ts';
import { tableHead } from './table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: 'tide' },
    data: { type: 'string', default: join(import.meta.dirname, '.data') },
  },
});
const settings = {
  seed: values.seed,
  scale: Number(values.scale),
  rounds: Number(values.rounds),
  dataFolder: values.data,
};

{
  await using stack = new AsyncDisposableStack();
  const lab = openLab(settings, positionals, stack);
  console.log(`${await conditions()}\n${tableHead}`);
  await files(lab);
  await logical(lab);
  await idle(lab);
}

async function conditions(): Promise<string> {
  const version = async (command: string, args: string[]) => (await run(command, args)).stdout.trim().split('\n')[0];
  return [
    `- scale ${settings.scale}, seed ${settings.seed}, medians of ${settings.rounds} rounds, one after the other in turn`,
    `- ${cpus().length} x ${cpus()[0]!.model}, Node ${process.versions.node}`,
    `- ${(await resticPrograms(settings.dataFolder)).map(({ name }) => name).join(' and ')}`,
    `- ${await version('mariadbd', ['--version'])}`,
    `- ${await version('mydumper', ['--version'])}`,
    '',
  ].join('\n');
}
