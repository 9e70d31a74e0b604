import assert from 'node:assert/strict';
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { randomBytes } from '../core/repository/light-kit.ts';
import { smallDisk } from '../kit/small-disk.ts';
import { home } from './kit.ts';
import { pruneYaml } from './prune-kit.ts';

const blockBytes = 4096;

/** Three backups of a megabyte each on a disk that has nothing left; gives a way to free some of its blocks. */
async function fullHome(t: TestContext) {
  const at = await home(t);
  const disk = await smallDisk(t, 16 * 2 ** 20, 2000);
  await at.write(
    pruneYaml(at.folder, ['docs-daily'], '{ last: 1 }', 'grace: 0s, maxUnused: "0%"').replace(
      at.repository,
      join(disk, 'repository'),
    ),
  );
  await at.inside('apply', '--auto-approve');
  const ids: string[] = [];
  for (const name of ['one', 'two', 'three']) {
    await writeFile(join(at.data, 'own.bin'), randomBytes(name, 1_000_000));
    ids.push(JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup);
  }
  const ballast = openSync(join(disk, 'ballast'), 'wx');
  t.after(() => closeSync(ballast));
  const fill = () => {
    for (const bytes of [2 ** 20, blockBytes]) {
      try {
        while (writeSync(ballast, Buffer.alloc(bytes, 'full'), 0, bytes, fstatSync(ballast).size) > 0);
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      }
    }
  };
  fill();
  const free = (blocks: number) => ftruncateSync(ballast, fstatSync(ballast).size - blocks * blockBytes);
  return { at, ids, free };
}

for (const verb of ['prune', 'delete'] as const) {
  test(`a disk with nothing left keeps \`${verb}\` from beginning, says what is enough, and that is`, async (t) => {
    const { at, ids, free } = await fullHome(t);
    const args = verb === 'prune' ? ['prune', '--now', '--auto-approve'] : ['delete', ids[0]!, '--auto-approve'];
    const refused = await at.inside(...args);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /DESTINATION_FULL[\s\S]*one free block, mostly of 4 KiB, is enough to begin/);
    assert.equal(JSON.parse((await at.inside('backups', '--json')).stdout).backups.length, 3);
    free(1);
    const done = await at.inside(...args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.equal(JSON.parse((await at.inside('backups', '--json')).stdout).backups.length, verb === 'prune' ? 1 : 2);
    const pruned = await at.inside('prune', '--now', '--auto-approve', '--json');
    assert.equal(pruned.code, 0, pruned.stdout + pruned.stderr);
    if (verb === 'delete')
      assert(JSON.parse(pruned.stdout).destinations[0].job.result.netBytes > 900_000, pruned.stdout);
    assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
  });
}
