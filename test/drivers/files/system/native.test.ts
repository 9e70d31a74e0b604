import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeName } from '../../../../core/path-bytes.ts';
import { loadNative, workingFolder } from '../../../../drivers/files/system/native.ts';
import { runOk } from '../../../kit/process.ts';
import { tempFolder } from '../../../kit/temp.ts';

const native = loadNative();

test('stat tells what Node tells, to the nanosecond', async (t) => {
  const { path, folder } = await openFolder(t);
  writeFileSync(join(path, 'file'), 'hello');
  const found = native.stat(folder, 'file');
  const expected = lstatSync(join(path, 'file'), { bigint: true });
  assert.deepEqual(
    [found.type, found.sizeBytes, found.inode, found.deviceId, found.mtimeNs, found.ctimeNs, found.atimeNs],
    ['file', 5, expected.ino, expected.dev, expected.mtimeNs, expected.ctimeNs, expected.atimeNs],
  );
  assert.equal(native.stat(workingFolder, '/dev/null').device, lstatSync('/dev/null', { bigint: true }).rdev);
});

test('a folder is listed whole, whatever its size, and its access time stays', async (t) => {
  const { path } = await openFolder(t);
  const names = Array.from({ length: 3000 }, (_, at) =>
    Buffer.concat([Buffer.from(`${at} `.repeat(9)), Buffer.of(0xff, 0x0a)]),
  );
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${path}/`), name]), '');
  const noAtime = native.open(workingFolder, path, constants.O_DIRECTORY | constants.O_NOATIME);
  const before = native.stat(noAtime, '').atimeNs;
  assert.deepEqual(native.list(noAtime).sort(), names.map((name) => name.toString('latin1')).sort());
  assert.equal(native.stat(noAtime, '').atimeNs, before);
  native.close(noAtime);
});

test('times before 1970 and after 2038 are exact', async (t) => {
  const { path, folder } = await openFolder(t);
  writeFileSync(join(path, 'file'), '');
  for (const time of [-1_500_000_001n, 0n, 5_000_000_000_123_456_789n]) {
    native.setTimes(folder, 'file', time, time + 1n);
    assert.deepEqual([native.stat(folder, 'file').atimeNs, native.stat(folder, 'file').mtimeNs], [time, time + 1n]);
  }
});

test('names that are not UTF-8 reach the file system as they are', async (t) => {
  const { path, folder } = await openFolder(t);
  const bytes = Buffer.from([0x61, 0xff, 0x0a, 0xc3, 0x28]);
  const name = decodeName(bytes);
  closeSync(native.open(folder, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
  native.makeSymlink(name, folder, `${name}2`);
  assert.deepEqual(readdirSync(path, { encoding: 'buffer' })[0], bytes);
  assert.deepEqual(native.readLink(folder, `${name}2`), bytes);
  assert.equal(native.stat(folder, name).type, 'file');
});

test('a symbolic link is never followed', async (t) => {
  const { folder } = await openFolder(t);
  native.makeSymlink('/etc', folder, 'link');
  assert.equal(native.stat(folder, 'link').type, 'symlink');
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  assert.throws(() => native.open(folder, 'link', flags), { code: 'ENOTDIR', syscall: 'openat' });
});

test('special files, links and removal', async (t) => {
  const { folder } = await openFolder(t);
  native.makeNode(folder, 'fifo', 0o010600, 0n);
  native.makeNode(folder, 'socket', 0o140600, 0n);
  native.makeFolder(folder, 'folder', 0o700);
  native.makeLink(folder, 'fifo', folder, 'same');
  assert.deepEqual([native.stat(folder, 'fifo').type, native.stat(folder, 'socket').type], ['fifo', 'socket']);
  assert.equal(native.stat(folder, 'same').inode, native.stat(folder, 'fifo').inode);
  assert.throws(() => native.remove(folder, 'folder', 'file'), { code: 'EISDIR' });
  native.remove(folder, 'folder', 'folder');
  assert.throws(() => native.stat(folder, 'folder'), { code: 'ENOENT' });
});

test('extended attributes by path and by descriptor', async (t) => {
  const { path, folder } = await openFolder(t);
  writeFileSync(join(path, 'file'), '');
  native.setAttribute(join(path, 'file'), 'user.one', Buffer.from([0, 1, 255]));
  const descriptor = native.open(folder, 'file', constants.O_RDWR);
  native.setAttribute(descriptor, 'user.empty', Buffer.alloc(0));
  assert.deepEqual(native.listAttributes(descriptor).sort(), ['user.empty', 'user.one']);
  assert.deepEqual(native.listAttributes(join(path, 'file')).sort(), ['user.empty', 'user.one']);
  assert.deepEqual(native.getAttribute(descriptor, 'user.one'), Buffer.from([0, 1, 255]));
  assert.deepEqual(native.getAttribute(join(path, 'file'), 'user.empty'), Buffer.alloc(0));
  assert.deepEqual(native.listAttributes(path), []);
  closeSync(descriptor);
});

test('renameNoReplace refuses what exists', async (t) => {
  const path = await tempFolder(t);
  writeFileSync(join(path, 'from'), 'new');
  writeFileSync(join(path, 'to'), 'old');
  assert.throws(() => native.renameNoReplace(workingFolder, join(path, 'from'), workingFolder, join(path, 'to')), {
    code: 'EEXIST',
  });
  assert.equal(readFileSync(join(path, 'to'), 'utf8'), 'old');
  native.renameNoReplace(workingFolder, join(path, 'from'), workingFolder, join(path, 'other'));
  assert(existsSync(join(path, 'other')) && !existsSync(join(path, 'from')));
});

async function openFolder(t: TestContext): Promise<{ path: string; folder: number }> {
  const path = await tempFolder(t);
  const folder = native.open(workingFolder, path, constants.O_RDONLY | constants.O_DIRECTORY);
  t.after(() => closeSync(folder));
  return { path, folder };
}

test('a failed call is told by its own code also where others loaded koffi first', async () => {
  const module = new URL('../../../../drivers/files/system/native.ts', import.meta.url);
  const script = `
    (await import('node:module')).createRequire(import.meta.url)('koffi');
    const native = (await import('${module}')).loadNative();
    try { native.stat(-100, '/nothing/here'); } catch (error) { console.log(error.code); }`;
  const { stdout } = await runOk(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
  });
  assert.equal(stdout, 'ENOENT\n');
});
