import { loadNative } from '../system/native.ts';
import type { RestoreBatch } from './restore-batch.ts';
import { threadTemporary } from './restore-task.ts';
import { removeIfPresent } from './target-files.ts';
import { TargetFolders } from './target-folders.ts';

/**
 * Removes what a restore that failed was writing: its temporaries, of which none has a name of the backup. Only tidies:
 * what cannot be removed is no other failure. Call it when the threads are gone.
 */
export function removeUnfinished(root: string, temporaryPrefix: string, threads: number, batch: RestoreBatch): void {
  const native = loadNative();
  const folders = new TargetFolders(native, root);
  const remove = (folder: string, name: string) => {
    try {
      removeIfPresent(native, folders.descriptor(folder), name);
    } catch {}
  };
  for (const { task } of [...batch.files, ...batch.links.map(({ file }) => file)]) remove(task.folder, task.temporary);
  const others = new Set([...batch.entries, ...batch.links.map(({ link }) => link)].map(({ folder }) => folder));
  for (const folder of others) {
    for (let thread = 0; thread < threads; thread++) remove(folder, threadTemporary(temporaryPrefix, thread));
  }
  folders.close();
}
