import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Node } from '../../../../core/driver/index.ts';
import { hasCode, type TidemarkError } from '../../../../core/error.ts';
import { runOk, waitFor } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { type Fixture, filesFixture } from '../fixture.ts';
import { contentsOf, missingFrom, randomBytes } from './damaged-repository.ts';

const plain = { mode: 0o644, mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n, uid: 0, gid: 0 };
const long = 'x'.repeat(300);

test('what the target refuses is named with its words, and the rest is there', async (t) => {
  const fixture = await filesFixture(t);
  await fixture.storeTree(async (writing) => {
    const content = await writing.content(Buffer.from('fine'));
    const file: Node = { ...plain, name: 'file', type: 'file', content };
    const subtree = await writing.tree([file, { ...file, name: long }]);
    const folder: Node = { ...plain, mode: 0o755, name: 'folder', type: 'dir', subtree };
    const link: Node = { ...plain, name: `${long}-link`, type: 'symlink', linkTarget: 'anywhere' };
    return [{ ...folder, name: `${long}-folder` }, folder, link, file];
  });
  const into = await tempFolder(t);
  const { notRestored, partial, items } = await fixture.restore({ folder: into });
  assert.deepEqual(notRestored.map(({ item, why, detail }) => [item, why, detail.split(' (')[0]]).sort(), [
    [`/folder/${long}`, 'refused', 'name too long'],
    [`/${long}-folder`, 'refused', 'name too long'],
    [`/${long}-link`, 'refused', 'name too long'],
  ]);
  assert.match(notRestored.find(({ item }) => item.endsWith('folder'))!.detail, /nothing below it is restored/);
  const found = [...contentsOf(into).keys()].filter((path) => !path.includes('.tidemark'));
  assert.deepEqual(found, ['/file', '/folder/file']);
  assert.equal(partial, true);
  assert.equal(items, 2);
});

test('a name that cannot be replaced costs itself; a second name on another file system becomes a file', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['busy', 'other']) fs.writeFileSync(join(fixture.tree, name), `new ${name}`);
  fs.mkdirSync(join(fixture.tree, 'disk'));
  fs.linkSync(join(fixture.tree, 'other'), join(fixture.tree, 'disk/second'));
  await fixture.backUp();
  const into = await tempFolder(t);
  const restored = join(into, fixture.tree);
  fs.mkdirSync(join(restored, 'disk'), { recursive: true });
  fs.writeFileSync(join(restored, 'busy'), 'old busy');
  await mount(t, ['--bind', join(restored, 'busy'), join(restored, 'busy')]);
  await mount(t, ['-t', 'tmpfs', 'tidemark-test', join(restored, 'disk')]);
  const { notRestored } = await fixture.restore({ folder: into, overwrite: true });
  assert.deepEqual(
    notRestored.map(({ item, why }) => [item, why]),
    [[join(fixture.tree, 'busy'), 'refused']],
  );
  assert.match(notRestored[0]!.detail, /busy/);
  const contents = Object.fromEntries([...contentsOf(restored)].map(([path, bytes]) => [path, bytes.toString()]));
  assert.deepEqual(contents, { '/busy': 'old busy', '/other': 'new other', '/disk/second': 'new other' });
});

test('a second name of a file whose first is out of reach becomes a file', async (t) => {
  const fixture = await filesFixture(t);
  await fixture.storeTree(async (writing) => {
    const content = await writing.content(Buffer.from('both'));
    const file: Node = { ...plain, name: 'file', type: 'file', content, inode: 7n, deviceId: 1n, links: 3 };
    const folder: Node = { ...plain, mode: 0o755, name: long, type: 'dir', subtree: await writing.tree([file]) };
    return [folder, { ...file, name: 'y' }, { ...file, name: 'z' }];
  });
  const into = await tempFolder(t);
  const { notRestored, items } = await fixture.restore({ folder: into });
  assert.deepEqual(
    notRestored.map(({ item }) => item),
    [`/${long}`],
  );
  assert.equal(items, 2);
  for (const name of ['y', 'z']) assert.equal(fs.readFileSync(join(into, name), 'utf8'), 'both');
});

test('a full disk stops the restore, and leaves no half file under any name', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(join(fixture.tree, name), randomBytes(name, 6 * 2 ** 20));
  await fixture.backUp();
  const into = join(await smallDisk(t, 10 * 2 ** 20), 'into');
  await assert.rejects(
    fixture.restore({ folder: into, verify: false }),
    (error: TidemarkError) => error.code === 'TARGET_FAILED' && /no space left/.test(error.message),
  );
  missingFrom(join(into, fixture.tree), fixture.tree);
});

test('a restore that is killed leaves no half file under a good name', async (t) => {
  const fixture = await filesFixture(t);
  for (let file = 0; file < 10; file++) {
    fs.writeFileSync(join(fixture.tree, `file ${file}`), randomBytes(`${file}`, 10 * 2 ** 20));
  }
  await fixture.backUp();
  const [snapshot] = fs.readdirSync(join(fixture.folder, 'repository/snapshots')) as [string];
  const into = await tempFolder(t);
  const restored = join(into, fixture.tree);
  const script = join(import.meta.dirname, 'restore-child.ts');
  const child = spawn(process.execPath, [script, join(fixture.folder, 'repository'), snapshot, into], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const begun = () => fs.existsSync(restored) && fs.readdirSync(restored).length > 1;
  await waitFor('the first files', async () => begun());
  child.kill('SIGKILL');
  await ended;
  const temporary = /^\/\.tidemark-[0-9a-f]{12}-\d+$/;
  const found = contentsOf(restored);
  assert(
    [...found.keys()].some((path) => temporary.test(path)),
    'it was killed too late to show anything',
  );
  for (const path of found.keys()) if (temporary.test(path)) fs.rmSync(join(restored, path));
  missingFrom(restored, fixture.tree);
});

test('a full folder in the place of a file is refused before anything is written, with all of its kind', async (t) => {
  const fixture = await filesFixture(t);
  const names = Array.from({ length: 25 }, (_, at) => `name ${at}`);
  for (const name of ['first', ...names]) fs.writeFileSync(join(fixture.tree, name), 'file');
  await fixture.backUp();
  const into = await tempFolder(t);
  for (const name of names) fs.mkdirSync(join(into, fixture.tree, name, 'full'), { recursive: true });
  await assert.rejects(fixture.restore({ folder: into, overwrite: true }), (error: TidemarkError) => {
    assert.equal(error.code, 'TARGET_NOT_EMPTY');
    assert.match(error.message, /^25 folders with contents stand where the backup has files: .*, and 5 more$/);
    assert.equal(error.message.split(fixture.tree).length - 1, 20);
    return true;
  });
  assert.deepEqual(contentsOf(into), new Map());
  const only = [join(fixture.tree, 'first')];
  await fixture.restore({ folder: into, overwrite: true, only });
  assert.deepEqual([...contentsOf(into).keys()], only);
});

test('a link in the place of a folder is refused before anything is written, when something wanted lies below', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a/file', 'z/file', 'z/other']) {
    fs.mkdirSync(join(fixture.tree, name, '..'), { recursive: true });
    fs.writeFileSync(join(fixture.tree, name), name);
  }
  await fixture.backUp();
  const [into, outside] = [await tempFolder(t), await tempFolder(t)];
  fs.mkdirSync(join(into, fixture.tree), { recursive: true });
  fs.symlinkSync(outside, join(into, fixture.tree, 'z'));
  const restore = (only: string[]) => fixture.restore({ folder: into, overwrite: true, only });
  for (const only of [[], [join(fixture.tree, 'z/other')], ['file']]) {
    await assert.rejects(restore(only), (error) => hasCode(error, 'TARGET_UNSAFE') && /tree\/z$/.test(error.message));
    assert.deepEqual([contentsOf(into), fs.readdirSync(outside)], [new Map(), []]);
  }
  await restore([join(fixture.tree, 'a')]);
  assert.deepEqual([...contentsOf(into).keys()], [join(fixture.tree, 'a/file')]);
});

test('a target that is a link is followed, and said to be one', async (t) => {
  const { fixture, into } = await oneFile(t);
  const link = join(await tempFolder(t), 'link');
  fs.symlinkSync(into, link);
  const { warnings, partial } = await fixture.restore({ folder: link });
  assert.deepEqual(warnings, [`${link} is a symbolic link: what it leads to was written, ${into}`]);
  assert.equal(partial, false);
  assert.deepEqual(missingFrom(join(into, fixture.tree), fixture.tree), []);
  assert(fs.lstatSync(link).isSymbolicLink());
});

async function oneFile(t: TestContext): Promise<{ fixture: Fixture; into: string }> {
  const fixture = await filesFixture(t);
  fs.writeFileSync(join(fixture.tree, 'file'), 'file');
  await fixture.backUp();
  return { fixture, into: await tempFolder(t) };
}

async function mount(t: TestContext, args: string[]): Promise<void> {
  await runOk('mount', args);
  atEnd(t, async () => void (await runOk('umount', ['--lazy', args.at(-1)!])));
}
