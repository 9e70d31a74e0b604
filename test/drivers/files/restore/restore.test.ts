import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Node } from '../../../../core/driver/index.ts';
import { type ErrorCode, hasCode } from '../../../../core/error.ts';
import { emptyRestoreReport, type FileTask } from '../../../../drivers/files/restore/restore-task.ts';
import { TargetFiles } from '../../../../drivers/files/restore/target-files.ts';
import { TargetFolders } from '../../../../drivers/files/restore/target-folders.ts';
import { loadNative } from '../../../../drivers/files/system/native.ts';
import { assertSameTrees } from '../../../kit/compare-trees.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { filesFixture } from '../fixture.ts';

const plain = { mode: 0o644, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0 };

test('a target that holds data is refused before anything is written', async (t) => {
  const fixture = await filesFixture(t);
  fs.writeFileSync(join(fixture.tree, 'file'), 'x');
  await fixture.backUp();
  const into = await tempFolder(t);
  fs.writeFileSync(join(into, 'mine'), 'mine');
  await assert.rejects(fixture.restore({ folder: into }), code('TARGET_NOT_EMPTY'));
  assert.deepEqual(fs.readdirSync(into), ['mine']);
});

test('overwrite replaces what the backup has and keeps what it has not', async (t) => {
  const fixture = await filesFixture(t);
  fs.mkdirSync(join(fixture.tree, 'folder'));
  fs.mkdirSync(join(fixture.tree, 'was-a-file'));
  fs.writeFileSync(join(fixture.tree, 'folder/file'), 'right');
  fs.linkSync(join(fixture.tree, 'folder/file'), join(fixture.tree, 'folder/second-name'));
  fs.symlinkSync('file', join(fixture.tree, 'folder/link'));
  await fixture.backUp();
  const into = await tempFolder(t);
  await fixture.restore({ folder: into });
  const restored = join(into, fixture.tree);
  for (const name of ['file', 'link', 'second-name']) fs.rmSync(join(restored, 'folder', name));
  fs.writeFileSync(join(restored, 'folder/file'), 'wrong and longer');
  fs.writeFileSync(join(restored, 'folder/second-name'), 'wrong');
  fs.mkdirSync(join(restored, 'folder/link'));
  fs.rmdirSync(join(restored, 'was-a-file'));
  fs.writeFileSync(join(restored, 'was-a-file'), '');
  fs.writeFileSync(join(restored, 'mine'), 'mine');
  await fixture.restore({ folder: into, overwrite: true });
  assert.equal(fs.readFileSync(join(restored, 'mine'), 'utf8'), 'mine');
  fs.rmSync(join(restored, 'mine'));
  assertSameTrees(join(restored, 'folder'), join(fixture.tree, 'folder'));
  await fixture.restore({ folder: into, overwrite: true });
  assertSameTrees(join(restored, 'folder'), join(fixture.tree, 'folder'));
  assert(fs.statSync(join(restored, 'was-a-file')).isDirectory());
});

test('a name in any of very many folders becomes a link to its own file', async (t) => {
  const fixture = await filesFixture(t);
  fs.mkdirSync(join(fixture.tree, 'first'));
  fs.writeFileSync(join(fixture.tree, 'first/file'), 'right');
  const into = await tempFolder(t);
  const folders = Array.from({ length: 140 }, (_, at) => `release ${at}/bin`);
  for (const folder of folders) {
    fs.mkdirSync(join(fixture.tree, folder), { recursive: true });
    fs.linkSync(join(fixture.tree, 'first/file'), join(fixture.tree, folder, 'file'));
    fs.mkdirSync(join(into, fixture.tree, folder), { recursive: true });
    fs.writeFileSync(join(into, fixture.tree, folder, 'file'), 'old');
  }
  await fixture.backUp();
  const { items, partial } = await fixture.restore({ folder: into, overwrite: true });
  assert.deepEqual([items, partial], [141, false]);
  const inode = (path: string) => fs.statSync(join(into, fixture.tree, path, 'file')).ino;
  assert.deepEqual(
    folders.filter((folder) => inode(folder) !== inode('first')),
    [],
  );
});

test('no more names become links to a file than it has: its number may be that of another later', async (t) => {
  const fixture = await filesFixture(t);
  await fixture.storeTree(async (writing) => {
    const content = await writing.content(Buffer.from('the same'));
    const file: Node = { ...plain, name: '', type: 'file', content, inode: 7n, deviceId: 1n, links: 2 };
    return ['a', 'b', 'c', 'd'].map((name) => ({ ...file, name }));
  });
  const into = await tempFolder(t);
  await fixture.restore({ folder: into });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => fs.statSync(join(into, name)).ino);
  assert.deepEqual([a === b, b === c, c === d], [true, false, true]);
});

test('in place brings back what is gone, refuses what is there, and leaves the folders above alone', async (t) => {
  const fixture = await filesFixture(t);
  fs.mkdirSync(join(fixture.tree, 'folder'));
  for (const name of ['folder/a', 'folder/b']) fs.writeFileSync(join(fixture.tree, name), name);
  await fixture.backUp();
  fs.rmSync(join(fixture.tree, 'folder/a'));
  const above = fs.statSync(fixture.folder, { bigint: true }).mtimeNs;
  await assert.rejects(fixture.restore(), code('TARGET_NOT_EMPTY'));
  assert.deepEqual(fs.readdirSync(join(fixture.tree, 'folder')), ['b']);
  await fixture.restore({ only: [join(fixture.tree, 'folder/a')] });
  assert.equal(fs.readFileSync(join(fixture.tree, 'folder/a'), 'utf8'), 'folder/a');
  fs.writeFileSync(join(fixture.tree, 'folder/b'), 'spoilt');
  await fixture.restore({ overwrite: true });
  assert.equal(fs.readFileSync(join(fixture.tree, 'folder/b'), 'utf8'), 'folder/b');
  assert.equal(fs.statSync(fixture.folder, { bigint: true }).mtimeNs, above);
  assert(!fs.existsSync('/.tidemark'));
});

test('only what is asked for is restored, with the folders above it', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a/one.txt', 'a/two', 'b/three.txt', 'c/four']) {
    fs.mkdirSync(join(fixture.tree, name, '..'), { recursive: true });
    fs.writeFileSync(join(fixture.tree, name), name);
  }
  fs.chmodSync(join(fixture.tree, 'a'), 0o711);
  await fixture.backUp();
  const into = await tempFolder(t);
  await fixture.restore({ folder: into, only: ['*.txt', `${fixture.tree}/c`] });
  const restored = join(into, fixture.tree);
  assert.deepEqual(fs.readdirSync(restored, { recursive: true }).sort(), [
    'a',
    'a/one.txt',
    'b',
    'b/three.txt',
    'c',
    'c/four',
  ]);
  assert.equal(fs.statSync(join(restored, 'a')).mode & 0o777, 0o711);
});

test('names that lead out of the target are TARGET_UNSAFE', async (t) => {
  const fixture = await filesFixture(t);
  const outside = join(fixture.folder, 'outside');
  for (const name of ['..', '../outside', `${outside}`, '.']) {
    await fixture.storeTree(async (writing) => [
      { ...plain, name, type: 'file', content: await writing.content(Buffer.from('evil')) },
    ]);
    const into = join(fixture.folder, 'into', 'deep');
    await assert.rejects(fixture.restore({ folder: into, overwrite: true }), code('TARGET_UNSAFE'), name);
  }
  assert(!fs.existsSync(outside));
});

test('a link in the target is never followed, whether it was there or the backup made it', async (t) => {
  const fixture = await filesFixture(t);
  const outside = await tempFolder(t);
  await fixture.storeTree(async (writing) => {
    const content = await writing.content(Buffer.from('evil'));
    const inside = await writing.tree([{ ...plain, name: 'file', type: 'file', content }]);
    const folder: Node = { ...plain, mode: 0o755, name: 'a', type: 'dir', subtree: inside };
    return [folder, { ...plain, name: 'b', type: 'symlink', linkTarget: outside }];
  });
  const into = await tempFolder(t);
  fs.symlinkSync(outside, join(into, 'a'));
  await assert.rejects(fixture.restore({ folder: into, overwrite: true }), code('TARGET_UNSAFE'));
  fs.rmSync(join(into, 'a'));
  fs.symlinkSync(join(outside, 'file'), join(into, 'b'));
  fs.mkdirSync(join(into, 'a'));
  fs.symlinkSync(join(outside, 'file'), join(into, 'a/file'));
  await fixture.restore({ folder: into, overwrite: true });
  assert.equal(fs.readFileSync(join(into, 'a/file'), 'utf8'), 'evil');
  assert(fs.lstatSync(join(into, 'a/file')).isFile());
  assert.equal(fs.readlinkSync(join(into, 'b')), outside);
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('a full target is TARGET_FAILED and says which file', async (t) => {
  const fixture = await filesFixture(t);
  fs.writeFileSync(join(fixture.tree, 'large'), Buffer.alloc(3 * 2 ** 20, 'x'));
  await fixture.backUp();
  const only = [fixture.tree]; // without the manifest, which would not fit either
  const failed = fixture.restore({ folder: join(await smallDisk(t, 2 ** 20), 'into'), only });
  await assert.rejects(
    failed,
    (error: Error) => hasCode(error, 'TARGET_FAILED') && /large.*no space left/.test(error.message),
  );
});

test('verification finds files that differ in content, length or presence', async (t) => {
  const root = await tempFolder(t);
  const native = loadNative();
  const report = emptyRestoreReport();
  const folders = new TargetFolders(native, root);
  const setup = { root, replace: false, keepDamaged: false, temporaryPrefix: '.tidemark-test' };
  const target = new TargetFiles(native, folders, setup, () => report);
  const contents = { same: 'hello', flipped: 'hellp', short: 'hell', long: 'hello!' };
  for (const [name, text] of Object.entries(contents)) fs.writeFileSync(join(root, name), text);
  for (const [id, name] of [...Object.keys(contents), 'absent'].entries()) {
    const task: FileTask = {
      kind: 'file',
      id,
      folder: '',
      name,
      temporary: `.tidemark-test-${id}`,
      sizeBytes: 5,
      shared: false,
      metadata: plain,
      verify: true,
    };
    target.compare(task, 0, Buffer.from('hello'), 'whole');
  }
  target.close();
  folders.close();
  assert.deepEqual(report.differing, ['flipped', 'short', 'long', 'absent']);
});

function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => hasCode(error, expected);
}
