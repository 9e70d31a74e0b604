import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { home } from '../../../cmd/kit.ts';
import { run, runOk } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { smallDisk } from '../../../kit/small-disk.ts';

test('a disk that takes all bytes and cannot keep them makes no success', async (t) => {
  const at = await home(t);
  await writeFile(join(at.data, 'large'), randomBytes(24 * 2 ** 20));
  await at.inside('apply', '--auto-approve');
  const { backup } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  const thin = await thinDisk(t);
  const told = await at.tidemark('restore', 'docs', '--backup', backup, '--into', join(thin, 'back'), '--auto-approve');
  assert.notEqual(told.code, 0);
  assert.match(told.stderr, /error TARGET_FAILED: .* cannot keep what was written/);
});

/** A file system that says it is larger than what its image can take. Mounting needs root. */
async function thinDisk(t: TestContext): Promise<string> {
  const place = await smallDisk(t, 12 * 2 ** 20);
  const [image, disk] = [join(place, 'image'), join(place, 'disk')];
  await mkdir(disk);
  await writeFile(image, '');
  await truncate(image, 64 * 2 ** 20);
  await runOk('mkfs.ext4', ['-q', '-O', '^has_journal', image]);
  await runOk('mount', ['-o', 'loop', image, disk]);
  atEnd(t, async () => void (await run('umount', [disk])));
  return disk;
}
