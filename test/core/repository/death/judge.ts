import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { runOk } from '../../../kit/process.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { localStore, password } from '../repository-kit.ts';
import { backUp, filesOf, nameOf } from './backups.ts';
import { openAlone, prune } from './works.ts';

export interface Judge {
  /** Stock restic finds nothing wrong. */
  check(folder: string): Promise<void>;
  /**
   * The next backup works, and the next prune, stock restic finds nothing wrong then, and restores every backup that is
   * there to what was backed up; all `reported` ones are there.
   */
  goOn(folder: string, reported: Iterable<string>): Promise<void>;
}

export async function judgeOf(t: TestContext): Promise<Judge> {
  const own = await tempFolder(t, 'judge');
  const passwordFile = join(own, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  let restored = 0;

  const restic = (folder: string, ...args: string[]) =>
    runOk('restic', ['--repo', folder, '--password-file', passwordFile, '--no-cache', '--no-lock', ...args]);
  const check = async (folder: string) => {
    await restic(folder, 'check', '--read-data');
  };
  const restore = async (folder: string, id: string, name: string) => {
    const target = join(own, `${restored++}`);
    await mkdir(target);
    await restic(folder, 'restore', id, '--target', target);
    const files = new Map<string, Buffer>();
    for (const path of await filesBelow(target)) files.set(path, await readFile(join(target, path)));
    assert.deepEqual(files, new Map([...filesOf(name)].sort()), `backup ${name} in ${folder}`);
    await rm(target, { recursive: true });
  };

  return {
    check,
    async goOn(folder, reported) {
      const repository = await openAlone(await localStore(folder));
      await backUp(repository, 'afterwards');
      for (let round = 1; round <= 2; round++) await prune(repository); // marks, then removes
      await check(folder);
      const names = new Set<string>();
      for await (const snapshot of repository.snapshots()) {
        const name = nameOf(snapshot);
        await restore(folder, snapshot.id, name);
        names.add(name);
      }
      for (const name of [...reported, 'afterwards']) assert(names.has(name), `backup ${name} is gone from ${folder}`);
    },
  };
}

/** Paths of all files, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}
