import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../test/kit/process.ts';
import { checks } from './check.ts';
import { curve } from './curve.ts';
import { files, largeFiles } from './files.ts';
import { idle } from './idle.ts';
import { indexMemory } from './index-memory.ts';
import { openLab } from './lab.ts';
import { largePrunes } from './large-prune.ts';
import { logical } from './logical.ts';
import { profile } from './profile/profile.ts';
import { prunes } from './prune.ts';
import { resticPrograms } from './restic-programs.ts';
import { smallFile } from './small-file.ts';
import { start } from './start.ts';
import { tableHead } from './table.ts';

const help = `npm run bench [-- CASE… --scale N --rounds N --seed TEXT --data FOLDER]
  Measures tidemark against its peers. A case is the beginning of a name: files (files-first, -unchanged, -changed,
  -restore on a new file system, -restore-memory), large (three large files: large-first, -restore, -restore-memory),
  one-small-file, start (every verb), logical (logical-dump, -unchanged, -load), check (all data, and check-structure
  without any), prune, idle (idle-daemon, -status). Scale 1 is 7 GB in 200,000 files, three files of 1 GiB, and 2 GB of tables.
npm run bench -- index
  What the index, and a prune beside it, take of memory at one, three and ten million blobs.
npm run bench -- large-prune
  CPU and memory of a whole prune at two and ten million blobs, and how long its gate is shut with 100 and 1,000 index files.
npm run bench -- curve [--scale N]
  The same backups at 1, 3 and 10 times the files: 10,000 to 100,000 small ones at scale 1, in few folders and in many.
npm run bench -- profile CASE… [--scale N]
  Shows where a verb's time goes: CPU by thread and phase, a timeline of what its main thread waits
  for, functions and files by time over all threads, allocation in V8's heap, system calls (with strace). Cases:
  files-first, files-unchanged, files-changed, files-restore, large-restore, one-small-file, status, check, dump.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: 'tide' },
    help: { type: 'boolean', default: false },
    data: { type: 'string', default: join(import.meta.dirname, '.data') },
  },
});
const settings = {
  seed: values.seed,
  scale: Number(values.scale),
  rounds: Number(values.rounds),
  dataFolder: values.data,
};

if (values.help) console.log(help);
else {
  await using stack = new AsyncDisposableStack();
  const lab = openLab(settings, positionals, stack);
  if (positionals[0] === 'profile') {
    await profile(lab, positionals.slice(1));
  } else if (positionals[0] === 'index') {
    await indexMemory(lab);
  } else if (positionals[0] === 'large-prune') {
    await largePrunes(lab);
  } else {
    console.log(`${await conditions()}\n${tableHead}`);
    await files(lab);
    await largeFiles(lab);
    await smallFile(lab);
    await start(lab);
    await logical(lab);
    await checks(lab);
    await prunes(lab);
    if (positionals.some((name) => name.startsWith('curve'))) await curve(lab);
    await idle(lab);
  }
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
