import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import { runOk } from '../../../kit/process.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { filesFixture } from '../fixture.ts';
import { flipBlob, placeOfFolder, placesOf } from '../restore/damaged-repository.ts';

test('a source that is empty because nothing is mounted makes backups partial until something is there', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await smallDisk(t, 2 ** 20);
  fs.mkdirSync(join(disk, 'sub'));
  fs.writeFileSync(join(disk, 'sub/file'), 'x');
  const paths = [disk];
  assert.equal((await fixture.backUp({ paths })).partial, false);
  await runOk('umount', [disk]);
  for (const time of ['first', 'second']) {
    const { partial, warnings } = await fixture.backUp({ paths });
    assert.equal(partial, true, time);
    assert.match(
      warnings.join('\n'),
      /disk holds nothing to back up, and did in an earlier backup: mount what belongs there/,
      time,
    );
  }
  const meant = await fixture.backUp({ paths, mayBeEmpty: true });
  assert.deepEqual([meant.partial, meant.warnings], [false, []]);
  const settled = await fixture.backUp({ paths });
  assert.deepEqual([settled.partial, settled.warnings], [false, []]);
});

test('a selection that leaves all of a path out does not empty it', async (t) => {
  const fixture = await filesFixture(t);
  const paths = ['a', 'b'].map((name) => join(fixture.tree, name));
  for (const path of paths) fs.mkdirSync(join(path, 'sub'), { recursive: true });
  for (const path of paths) fs.writeFileSync(join(path, 'sub/file'), 'x');
  assert.equal((await fixture.backUp({ paths })).partial, false);
  for (const include of [['b/**'], ['b/sub/file']]) {
    const { partial, warnings } = await fixture.backUp({ paths }, { include });
    assert.deepEqual([partial, warnings], [false, []], String(include));
  }
  await fixture.backUp({ paths });
  const { partial, warnings } = await fixture.backUp({ paths, exclude: ['a/sub/file'] });
  assert.deepEqual([partial, warnings], [false, []]);
});

test('a source that is empty, and was nobody knows what in a damaged backup, makes a backup partial', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await smallDisk(t, 2 ** 20);
  fs.writeFileSync(join(disk, 'file'), 'x');
  const paths = [disk];
  assert.equal((await fixture.backUp({ paths })).partial, false);
  flipBlob(fixture, await placeOfFolder(fixture, await placesOf(fixture), disk.slice(1).split('/')));
  await runOk('umount', [disk]);
  const { partial, warnings } = await fixture.backUp({ paths });
  assert.equal(partial, true);
  assert.match(
    warnings.join('\n'),
    /disk holds nothing to back up, and what it held in the backup before is damaged: mount/,
  );
});

test('a source that was a folder with files and is none makes backups partial until it is one again', async (t) => {
  const fixture = await filesFixture(t);
  const [data, moved] = [join(fixture.tree, 'data'), join(fixture.folder, 'moved')];
  const paths = [data, join(fixture.tree, 'file')];
  fs.mkdirSync(join(data, 'sub'), { recursive: true });
  for (const path of [join(data, 'sub/file'), paths[1]!]) fs.writeFileSync(path, 'x');
  assert.equal((await fixture.backUp({ paths })).partial, false);
  fs.renameSync(data, moved);
  fs.writeFileSync(paths[1]!, '');
  const stands = [
    ['a symbolic link', () => fs.symlinkSync(moved, data)],
    ['an empty file', () => fs.writeFileSync(data, '')],
    ['a file', () => fs.writeFileSync(data, 'x')],
  ] as const;
  for (const [what, make] of stands) {
    make();
    for (const time of ['first', 'second']) {
      const { partial, warnings } = await fixture.backUp({ paths });
      assert.equal(partial, true, `${what}, ${time}`);
      const named = `${data} is ${what}, and was a folder that held something in an earlier backup: add the path`;
      assert(
        warnings.some((one) => one.startsWith(named)),
        warnings.join(),
      );
    }
    fs.rmSync(data);
  }
  fs.renameSync(moved, data);
  const again = await fixture.backUp({ paths });
  assert.deepEqual([again.partial, again.warnings], [false, []]);
  fs.renameSync(data, moved);
  fs.writeFileSync(data, '');
  for (const settings of [{ mayBeEmpty: true }, {}]) {
    const { partial, warnings } = await fixture.backUp({ paths, ...settings });
    assert.deepEqual([partial, warnings], [false, []], JSON.stringify(settings));
  }
});

test('a source that is gone in one backup and an empty folder in the next is still missed', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await smallDisk(t, 2 ** 20);
  const other = join(fixture.tree, 'other');
  for (const path of [other, join(disk, 'file')]) fs.writeFileSync(path, 'x');
  const paths = [disk, other];
  assert.equal((await fixture.backUp({ paths })).partial, false);
  await runOk('umount', [disk]);
  fs.rmdirSync(disk);
  for (const time of ['first', 'second']) {
    const { partial, warnings } = await fixture.backUp({ paths });
    assert.equal(partial, true, time);
    assert.deepEqual(
      warnings.map((one) => one.includes(`${disk} cannot be read: ENOENT`)),
      [true],
      warnings.join(),
    );
  }
  fs.mkdirSync(disk);
  const { partial, warnings } = await fixture.backUp({ paths });
  assert.equal(partial, true);
  assert.match(warnings.join('\n'), /disk holds nothing to back up, and did in an earlier backup/);
  const settled = await fixture.backUp({ paths: [other] });
  assert.deepEqual([settled.partial, (await fixture.backUp({ paths })).partial], [false, false]);
});

test('a source that has always been empty is whole', async (t) => {
  const fixture = await filesFixture(t);
  fs.mkdirSync(join(fixture.tree, 'folder'));
  for (const _ of ['first', 'second']) assert.equal((await fixture.backUp()).partial, false);
});

test('a source that must be mounted and is not is unreachable', async (t) => {
  const fixture = await filesFixture(t);
  const disk = await smallDisk(t, 2 ** 20);
  fs.writeFileSync(join(disk, 'file'), 'x');
  const settings = { paths: [disk], requireMount: true };
  assert.equal((await fixture.backUp(settings)).partial, false);
  await runOk('umount', [disk]);
  const { code, message, hint } = asTidemarkError(await fixture.backUp(settings).catch((error) => error));
  assert.deepEqual([code, message], ['SOURCE_UNREACHABLE', `${disk} is not on a mounted file system`]);
  assert.match(hint!, /leave out `requireMount`/);
});
