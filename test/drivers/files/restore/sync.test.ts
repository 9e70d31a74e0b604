import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeName } from '../../../../core/path-bytes.ts';
import { type Home, home } from '../../../cmd/kit.ts';
import { type Ran, run, runOk } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { smallDisk } from '../../../kit/small-disk.ts';

test('a disk that takes all bytes and cannot keep them makes no success', async (t) => {
  const at = await home(t);
  const backup = await backUpLarge(at, '.');
  const thin = await thinDisk(t, join(at.folder, 'thin'));
  const into = join(thin, 'back');
  assertNotKept(await restore(at, backup, into), into);
});

for (const [name, text] of [
  ['sub', 'sub'],
  ['sub-\udcff', 'a name that is no UTF-8'],
] as const) {
  test(`nor does one that is mounted below the target, in ${text}`, async (t) => {
    const at = await home(t);
    const backup = await backUpLarge(at, join(name, 'disk'));
    const back = join(at.folder, 'back');
    for (const [into, folder] of [
      ['docs', at.data],
      [back, join(back, at.data)],
    ] as const) {
      await thinDiskIn(t, join(folder, name));
      assertNotKept(await restore(at, backup, into, '--overwrite'), join(folder, name, 'disk'));
    }
  });
}

/** Gives the id of a backup that has a file of 24 MiB in this folder. */
async function backUpLarge(at: Home, folder: string): Promise<string> {
  await mkdir(encodeName(join(at.data, folder)), { recursive: true });
  await writeFile(encodeName(join(at.data, folder, 'large')), randomBytes(24 * 2 ** 20));
  await at.inside('apply', '--auto-approve');
  return JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup;
}

function restore(at: Home, backup: string, into: string, ...flags: string[]): Promise<Ran> {
  return at.tidemark('restore', 'docs', '--backup', backup, '--into', into, ...flags, '--auto-approve');
}

function assertNotKept({ code, stderr }: Ran, path: string): void {
  assert.notEqual(code, 0, stderr);
  assert(stderr.includes(`error TARGET_FAILED: ${path.toWellFormed()} cannot keep what was written`), stderr);
}

/** Mounted at `disk` in a folder whose name may be any bytes, which no command line can say. */
async function thinDiskIn(t: TestContext, folder: string): Promise<void> {
  const plain = `${folder.toWellFormed()}-plain`;
  await thinDisk(t, join(plain, 'disk'));
  await mkdir(encodeName(folder), { recursive: true });
  await rename(encodeName(folder), `${plain}-before`);
  await rename(plain, encodeName(folder));
  atEnd(t, () => rename(encodeName(folder), plain));
}

/** A file system that says it is larger than what its image can take. Mounting needs root. */
async function thinDisk(t: TestContext, disk: string): Promise<string> {
  const image = join(await smallDisk(t, 12 * 2 ** 20), 'image');
  await mkdir(disk, { recursive: true });
  await writeFile(image, '');
  await truncate(image, 64 * 2 ** 20);
  await runOk('mkfs.ext4', ['-q', '-O', '^has_journal', image]);
  await runOk('mount', ['-o', 'loop', image, disk]);
  atEnd(t, async () => void (await run('umount', [disk])));
  return disk;
}
