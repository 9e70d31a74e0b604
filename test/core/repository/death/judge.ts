import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

  const stock = async (folder: string, ids: readonly string[] = [], target = '') => {
    const env = { RESTIC_REPOSITORY: folder, RESTIC_PASSWORD_FILE: passwordFile };
    await runOk('sh', ['-c', checkAndRestore, target, ...ids], { env });
  };
  const assertRestored = async (target: string, name: string, folder: string) => {
    const files = new Map<string, Buffer>();
    for (const path of await filesBelow(target)) files.set(path, await readFile(join(target, path)));
    assert.deepEqual(files, new Map([...filesOf(name)].sort()), `backup ${name} in ${folder}`);
  };

  return {
    check: stock,
    async goOn(folder, reported) {
      const repository = await openAlone(await localStore(folder));
      await backUp(repository, 'afterwards');
      for (let round = 1; round <= 2; round++) await prune(repository); // marks, then removes
      const snapshots = await Array.fromAsync(repository.snapshots());
      const target = await mkdtemp(join(own, 'restored-'));
      await stock(
        folder,
        snapshots.map(({ id }) => id),
        target,
      );
      for (const snapshot of snapshots) await assertRestored(join(target, snapshot.id), nameOf(snapshot), folder);
      await rm(target, { recursive: true });
      const names = new Set(snapshots.map(nameOf));
      for (const name of [...reported, 'afterwards']) assert(names.has(name), `backup ${name} is gone from ${folder}`);
    },
  };
}

/** By one process, $0 the target: to start many costs a test, which is large, more than what they do. */
const checkAndRestore = `set -e
restic check --no-cache --no-lock --read-data
for id; do restic restore --no-cache --no-lock "$id" --target "$0/$id"; done`;

/** Paths of all files, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}
