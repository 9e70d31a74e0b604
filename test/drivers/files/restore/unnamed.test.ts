import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runOk } from '../../../kit/process.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { type Fixture, filesFixture } from '../fixture.ts';
import { missingFrom } from './damaged-repository.ts';

const modes = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o666, 0o644, 0o000];

test('owner and mode are those of the backup, whatever the target gives to new files', async (t) => {
  const fixture = await manyModes(t);
  const into = await tempFolder(t);
  fs.chownSync(into, 0, 12);
  fs.chmodSync(into, 0o2777);
  await runOk('setfacl', ['-d', '-m', 'u::rwx,g::rwx,o::-,u:daemon:rwx', into]);
  const { partial } = await fixture.restore({ folder: into, verify: false });
  assert.equal(partial, false);
  sameStats(fixture.tree, join(into, fixture.tree));
});

test('where files cannot be written without a name they are written under another', async (t) => {
  const fixture = await manyModes(t);
  const [snapshot] = fs.readdirSync(join(fixture.folder, 'repository/snapshots')) as [string];
  const into = await tempFolder(t);
  const script = join(import.meta.dirname, 'restore-child.ts');
  const child = [process.execPath, script, join(fixture.folder, 'repository'), snapshot, into];
  // Names come by /proc.
  await runOk('unshare', ['--mount', 'sh', '-c', 'umount --lazy /proc && exec "$@"', 'sh', ...child]);
  sameStats(fixture.tree, join(into, fixture.tree));
  missingFrom(join(into, fixture.tree), fixture.tree);
  assert.deepEqual(fs.readdirSync(join(into, fixture.tree)).sort(), fs.readdirSync(fixture.tree).sort());
});

/** Files of every mode, next to each other, some of another owner. */
async function manyModes(t: TestContext): Promise<Fixture> {
  const fixture = await filesFixture(t);
  for (const [number, mode] of [...modes, ...modes].entries()) {
    const path = join(fixture.tree, `file ${number}`);
    fs.writeFileSync(path, `${number}`);
    if (number % 3 === 0) fs.chownSync(path, 1, 0);
    if (number % 5 === 0) fs.lchownSync(path, 0, 1);
    fs.chmodSync(path, mode);
  }
  await fixture.backUp();
  return fixture;
}

function sameStats(original: string, restored: string): void {
  const statsOf = (folder: string) =>
    fs.readdirSync(original).map((name) => {
      const { mode, uid, gid, mtimeNs, size } = fs.statSync(join(folder, name), { bigint: true });
      return { name, mode, uid, gid, mtimeNs, size };
    });
  assert.deepEqual(statsOf(restored), statsOf(original));
}
