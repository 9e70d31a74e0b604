import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contenders, Lab } from './lab.ts';
import { measure } from './measure.ts';
import { openTidemark } from './tidemark.ts';

/** Each verb with next to nothing to do, in the order of the help. `prune`, `delete` and what asks are left out. */
const lines = [
  '--version',
  '--help',
  'validate',
  'plan',
  'apply --auto-approve',
  'status',
  'backup small',
  'backups',
  'show BACKUP',
  'restore small --into FOLDER',
  'restores',
  'jobs',
  'events',
  'pause small',
  'resume small',
  'key list box',
  'catalog import box',
  'schema',
  'completion bash',
];

/** What every verb takes from its start to its end, beside a Node that does nothing. */
export async function start(lab: Lab): Promise<void> {
  if (!lab.wants('start')) return;
  const folder = await lab.emptyFolder('small');
  writeFileSync(join(folder, 'file'), 'one small file\n');
  const tidemark = await openTidemark(await lab.emptyFolder('start'), {
    sources: { small: { driver: 'files', paths: [folder] } },
    plans: { small: { source: 'small', manual: true, destinations: ['box'] } },
  });
  const { backup } = JSON.parse(await tidemark.run(['--json', 'backup', 'small']));
  const contenders: Record<string, Contenders[string]> = { 'node -e 0': () => measure(process.execPath, ['-e', '0']) };
  for (const line of lines)
    contenders[`tidemark ${line}`] = async (round) => tidemark.measure(await words(lab, line, round, backup));
  await lab.compare('start', contenders);
  for (const name of ['small', 'start', 'started']) await lab.emptyFolder(name);
}

async function words(lab: Lab, line: string, round: number, backup: string): Promise<string[]> {
  const into = line.includes('FOLDER') ? join(await lab.emptyFolder('started'), String(round)) : '';
  const known: Readonly<Record<string, string>> = { FOLDER: into, BACKUP: backup };
  return line.split(' ').map((word) => known[word] ?? word);
}
