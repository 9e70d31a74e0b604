import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runOk } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { filesFixture } from '../fixture.ts';
import { knownFolders, whileListed } from './known-folders.ts';

test('a change in the second in which a file was read is in the next backup, where times are whole seconds', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await coarseDisk(t, fixture.folder, fixture.tree);
  const [file, inner] = [join(disk, 'file'), join(disk, 'inner')];
  fs.mkdirSync(inner);
  fs.writeFileSync(file, 'before');
  const stamp = () => fs.statSync(file, { bigint: true }).ctimeNs;
  let read: bigint | undefined;
  const parent = knownFolders([inner], async (path) => {
    if (path === disk) {
      await nextSecond();
      fs.writeFileSync(file, 'before');
      read = stamp();
    }
    if (path === inner) fs.writeFileSync(file, 'behind');
  });
  await fixture.backUp({}, { parent });
  assert.equal(stamp(), read, 'the test was too slow to change the file within the second');
  const { totals } = await fixture.backUp();
  assert.equal(totals.unchangedItems, 0);
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into });
  assert.equal(fs.readFileSync(join(into, file), 'utf8'), 'behind');
  await nextSecond();
  await nextSecond();
  await nextSecond();
  await fixture.backUp();
  assert.equal((await fixture.backUp()).totals.unchangedItems, 1);
});

test('what has its times in the future is missed where it moved to, on a file system that keeps no birth times', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await coarseDisk(t, fixture.folder, fixture.tree);
  const [archive, queue] = [join(disk, 'archive'), join(disk, 'queue')];
  fs.mkdirSync(join(archive, 'inner'), { recursive: true });
  fs.mkdirSync(queue);
  fs.writeFileSync(join(queue, 'ahead'), 'x');
  fs.utimesSync(join(queue, 'ahead'), 1_900_000_000, 1_900_000_000);
  const work = () => fs.renameSync(join(queue, 'ahead'), join(archive, 'ahead'));
  const { partial, warnings } = await fixture.backUp({}, { parent: whileListed(archive, queue, work) });
  const missing = `${join(archive, 'ahead')} is not in this backup: it was moved here while the backup ran`;
  assert.deepEqual([partial, warnings], [true, [missing]]);
});

/** As made by old versions of ext3 and ext4: inodes without room for parts of seconds. */
async function coarseDisk(t: TestContext, folder: string, tree: string): Promise<string> {
  const [image, disk] = [join(folder, 'image'), join(tree, 'disk')];
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 8 * 2 ** 20);
  await runOk('mkfs.ext4', ['-q', '-I', '128', '-O', '^has_journal', image]);
  fs.mkdirSync(disk);
  await runOk('mount', ['-o', 'loop', image, disk]);
  atEnd(t, async () => void (await runOk('umount', ['--lazy', disk])));
  return disk;
}

async function nextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1020 - (Date.now() % 1000)));
}
