import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTidemarkError } from '../../../../core/error.ts';
import { runOk } from '../../../kit/process.ts';
import { smallDisk } from '../../../kit/small-disk.ts';
import { filesFixture } from '../fixture.ts';

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
