import assert from 'node:assert/strict';
import { readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { randomBytes } from '../core/repository/repository-kit.ts';
import { smallDisk } from '../kit/small-disk.ts';
import { home, yamlFor } from './kit.ts';

test('a repair that the disk has no space for says what it needs, and does nothing', async (t) => {
  const at = await home(t);
  const disk = await smallDisk(t, 32 * 1024 * 1024);
  const repository = join(disk, 'repository');
  await at.write(yamlFor(at.folder).replace(join(at.folder, 'repository'), repository));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  await writeFile(join(at.data, 'large.bin'), randomBytes('large', 9_000_000));
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const pack = (
    await Promise.all(
      (await filesIn(repository, 'data')).map(async (path) => ({ path, size: (await stat(path)).size })),
    )
  ).toSorted((a, b) => b.size - a.size)[0]!;
  await flip(pack.path, 100);
  const { bavail, bsize } = await statfs(disk);
  const filler = join(disk, 'filler');
  await writeFile(filler, Buffer.alloc(bavail * bsize - 7_000_000));

  const before = (await readdir(repository, { recursive: true })).sort();
  const { plan } = JSON.parse((await at.inside('repository', 'repair', 'disk', '--dry-run', '--json')).stdout);
  assert(plan.needsBytes >= pack.size && plan.needsBytes < pack.size + 2_000_000, `${plan.needsBytes}`);
  assert(plan.freeBytes > 6_000_000 && plan.freeBytes < 7_000_000, `${plan.freeBytes}`);
  const full = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.notEqual(full.code, 0);
  assert.match(
    full.stderr,
    /DESTINATION_FULL: the repair may need [89]\.\d MiB of space, and 6\.\d MiB are free; nothing was done/,
  );
  assert.deepEqual((await readdir(repository, { recursive: true })).sort(), before);
  await rm(filler);
  assert.equal((await at.inside('repository', 'repair', 'disk', '--auto-approve')).code, 4);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
});
