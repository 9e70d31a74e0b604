import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run, start, waitFor } from './process.ts';
import { atEnd, type Owner } from './scope.ts';

export interface StalledDisk {
  /** Whether somebody waits in a call; known of an unkillable one. */
  isCalled(): boolean;
  /** Every call that waits fails, and what is below shows again. */
  end(): Promise<void>;
}

/**
 * A real file system over a folder, none of whose calls ever returns, as that of a server of files that is away: FUSE
 * with nobody who answers. With `unkillable` somebody takes the calls, and no signal ends who waits. Mounting needs root; without it the test fails and says so.
 */
export async function stalledDisk(t: Owner, folder: string, { unkillable = false } = {}): Promise<StalledDisk> {
  await mkdir(folder, { recursive: true });
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const holding = unkillable ? `${process.execPath} ${join(import.meta.dirname, 'deaf-fuse.ts')}` : 'sleep 600';
  const script = `exec 3<>/dev/fuse && mount -i -t fuse -o ${options} tidemark-test "$0" && echo mounted && exec ${holding}`;
  const holder = await start(t, 'sh', ['-c', script, folder]);
  let over = false;
  const end = async () => {
    if (over) return;
    over = true;
    await holder.end('SIGKILL');
    await run('umount', ['--lazy', folder]);
  };
  atEnd(t, end);
  await waitFor(`the mount: ${holder.output()}`, () => holder.output().includes('mounted'));
  return { end, isCalled: () => holder.output().includes('called') };
}
