import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runOk } from '../test/kit/process.ts';

/** A stock restic of some version. */
export interface ResticProgram {
  /** `restic 0.19.1` */
  readonly name: string;
  readonly command: string;
}

const timeoutMs = 5 * 60_000;
const unpack = join(import.meta.dirname, '..', 'test', 'servers', 'matrix', 'unpack-debian.sh');

/** The newest restic that can be had first (Debian's unstable suite has it), then the one that is installed here. */
export async function resticPrograms(dataFolder: string): Promise<readonly ResticProgram[]> {
  const newest = await newestRestic(dataFolder);
  const programs = await Promise.all([...newest, 'restic'].map(named));
  return programs.filter(({ name }, at) => programs.findIndex((other) => other.name === name) === at);
}

/** Fetched once and kept with the data; without a mirror of Debian there is none. */
async function newestRestic(dataFolder: string): Promise<readonly string[]> {
  const folder = join(dataFolder, 'restic-newest');
  if (!existsSync(folder)) {
    const half = `${folder}.part`;
    await rm(half, { recursive: true, force: true });
    const unpacked = await run('sh', [unpack, 'sid', half, 'restic'], { timeoutMs });
    if (unpacked.code !== 0) {
      console.error('the newest restic could not be fetched: compared with the installed one only');
      return [];
    }
    await rename(half, folder);
  }
  return [join(folder, 'usr', 'bin', 'restic')];
}

async function named(command: string): Promise<ResticProgram> {
  const { stdout } = await runOk(command, ['version']);
  return { name: stdout.split(' ').slice(0, 2).join(' '), command };
}
