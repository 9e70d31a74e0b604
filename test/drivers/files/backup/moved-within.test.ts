import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { smallDisk } from '../../../kit/small-disk.ts';
import { type Fixture, filesFixture } from '../fixture.ts';
import { knownFolders, whileListed } from './known-folders.ts';

const missing = (path: string) => `${path} is not in this backup: it was moved here while the backup ran`;

test('a file or folder that moves from where the walk has not been to where it has is named', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  makeFiles(queue, ['message', 'many/one', 'many/two/three']);
  const work = () => {
    execFileSync('mv', [join(queue, 'message'), join(archive, 'renamed')]);
    execFileSync('mv', [join(queue, 'many'), archive]);
  };
  const { partial, warnings } = await fixture.backUp({}, { parent: whileListed(archive, queue, work) });
  assert.equal(partial, true);
  assert.deepEqual([...warnings].sort(), [missing(join(archive, 'many')), missing(join(archive, 'renamed'))]);
  const again = await fixture.backUp();
  assert.deepEqual([again.partial, again.warnings], [false, []]);
});

test('a folder that moves after it was listed is named for what had not been read', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  makeFiles(queue, ['sub/old', 'read']);
  const work = () => {
    fs.mkdirSync(join(archive, 'new'));
    execFileSync('mv', [queue, join(archive, 'new/queue')]);
  };
  const { partial, warnings } = await fixture.backUp({}, { parent: whileListed(archive, join(queue, 'sub'), work) });
  assert.equal(partial, true);
  assert.deepEqual(warnings, [missing(join(archive, 'new/queue/sub')), '1 path was deleted after it had been listed']);
});

test('what is renamed, linked, deleted, new or not selected is not missed', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  makeFiles(archive, ['app.log', 'linked', 'deleted']);
  makeFiles(queue, ['left-out.tmp', 'out/x', 'link/x']);
  const held = { exclude: ['*.tmp', 'out'] };
  const work = () => {
    fs.renameSync(join(archive, 'app.log'), join(archive, 'app.log.1'));
    fs.linkSync(join(archive, 'linked'), join(archive, 'hard'));
    fs.rmSync(join(archive, 'deleted'));
    makeFiles(archive, ['app.log', 'made/new']);
    for (const name of ['left-out.tmp', 'out']) execFileSync('mv', [join(queue, name), archive]);
  };
  const { partial, warnings } = await fixture.backUp(held, { parent: whileListed(archive, queue, work) });
  assert.deepEqual([partial, warnings], [false, []]);
});

test('of what moves, an include selects what is missed', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  makeFiles(queue, ['sub/a.sql', 'sub/b']);
  makeFiles(archive, ['c.sql']);
  const work = () => void execFileSync('mv', [join(queue, 'sub'), archive]);
  const parent = whileListed(archive, queue, work);
  const { partial, warnings } = await fixture.backUp({}, { parent, include: ['*.sql'] });
  assert.deepEqual([partial, warnings], [true, [missing(join(archive, 'sub/a.sql'))]]);
});

test('what is moved over a file that is a path of the source, after it was read, is named', async (t) => {
  const fixture = await filesFixture(t);
  const [file, folder] = [join(fixture.tree, 'a-file'), join(fixture.tree, 'folder')];
  const moved = join(folder, 'sub/precious');
  const backUp = (work: () => void, request = {}) => {
    fs.writeFileSync(file, 'old');
    makeFiles(folder, ['sub/precious', 'other']);
    const parent = knownFolders([join(folder, 'sub')], (asked) => {
      if (asked === join(folder, 'sub')) work();
    });
    return fixture.backUp({ paths: [file, folder] }, { parent, ...request });
  };
  const over = () => fs.renameSync(moved, file);
  const { partial, warnings, totals } = await backUp(over);
  assert.deepEqual([partial, warnings, totals.items], [true, [missing(file)], 2]);
  const left = await backUp(over, { include: [folder] });
  assert.deepEqual([left.partial, left.warnings], [false, []]);
  const chosen = await backUp(over, { include: [fixture.tree] });
  assert.deepEqual([chosen.partial, chosen.warnings], [true, [missing(file)]]);
  const read = () => fs.renameSync(join(folder, 'other'), file);
  const save = () => {
    fs.writeFileSync(`${file}~`, 'new');
    fs.renameSync(`${file}~`, file);
  };
  for (const work of [read, save, () => fs.appendFileSync(file, 'more'), () => fs.rmSync(file)]) {
    const whole = await backUp(work);
    assert.deepEqual([whole.partial, whole.warnings], [false, []], String(work));
  }
});

test('files are not read out of another folder that is put in the place of theirs for a while', async (t) => {
  const { fixture, archive } = await queueAndArchive(t);
  const [many, other] = [join(archive, 'many'), join(fixture.folder, 'other')];
  makeFiles(many, ['inner/x']);
  makeFiles(other, ['many/inner/x']);
  const names = Array.from({ length: 2300 }, (_, at) => `file${at}`);
  for (const folder of [many, join(other, 'many')])
    for (const name of names) fs.writeFileSync(join(folder, name), randomBytes(20_000));
  let swapped = false;
  const swap = () => {
    const aside = join(fixture.folder, 'aside');
    for (const [from, to] of [
      [archive, aside],
      [other, archive],
      [aside, other],
    ] as const)
      fs.renameSync(from, to);
    swapped = !swapped;
  };
  const put = fixture.store.put.bind(fixture.store);
  fixture.store.put = async (name, ...rest) => {
    if (name.startsWith('data/') && !swapped) swap();
    await put(name, ...rest);
  };
  const parent = knownFolders([join(many, 'inner')], (path) => {
    if (path !== join(many, 'inner') || !swapped) return;
    swap();
    fixture.store.put = put;
  });
  const { partial, warnings } = await fixture.backUp({}, { parent });
  assert.equal(swapped, false);
  await fixture.restore({ folder: join(fixture.folder, 'into'), verify: false });
  const restored = join(fixture.folder, 'into', many);
  const lacks = names.filter((name) => !fs.existsSync(join(restored, name)));
  for (const name of names.filter((one) => !lacks.includes(one)))
    assert(fs.readFileSync(join(restored, name)).equals(fs.readFileSync(join(many, name))), name);
  assert.deepEqual([lacks.length > 0, partial], [true, true], warnings.join('; '));
});

test('a symbolic link in the place of a folder that was listed leads nobody out of the source', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  const outside = join(fixture.folder, 'outside');
  makeFiles(queue, ['sub/file']);
  makeFiles(outside, ['sub/secret']);
  const work = () => {
    fs.renameSync(queue, join(fixture.folder, 'gone'));
    fs.symlinkSync(outside, queue);
  };
  const { partial, warnings } = await fixture.backUp({}, { parent: whileListed(archive, join(queue, 'sub'), work) });
  assert.equal(partial, true);
  assert(
    warnings.some((one) => one.startsWith(`${join(queue, 'sub')} cannot be read: another folder stood`)),
    warnings.join('; '),
  );
  await fixture.restore({ folder: join(fixture.folder, 'into'), verify: false });
  assert.deepEqual(fs.readdirSync(join(fixture.folder, 'into', queue, 'sub')), []);
});

test('a source that is moved away while it is read makes the backup partial', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  const work = () => fs.renameSync(fixture.tree, `${fixture.tree}-moved`);
  const { partial, warnings } = await fixture.backUp({}, { parent: whileListed(archive, queue, work) });
  assert.equal(partial, true);
  assert(warnings.includes(`${fixture.tree} cannot be read: it was moved away or deleted while it was read`));
});

test('what leads in a circle after it was listed ends no backup', async (t) => {
  for (const circle of ['queue', '']) {
    const { fixture, archive, queue } = await queueAndArchive(t);
    makeFiles(queue, ['sub/file']);
    const path = join(fixture.tree, circle).replace(/\/$/, '');
    const work = () => {
      fs.renameSync(path, `${fixture.folder}/moved`);
      fs.symlinkSync(path, path);
    };
    const { warnings } = await fixture.backUp({}, { parent: whileListed(archive, join(queue, 'sub'), work) });
    if (circle === '') assert.match(warnings.join(), /tree cannot be read: it was moved away or deleted/);
    else assert.deepEqual(warnings, ['1 path was deleted after it had been listed']);
  }
});

test('what is gone when it is to be read, and there again, is named whatever the bytes of its name', async (t) => {
  const { fixture, archive, queue } = await queueAndArchive(t);
  const name = 'sub-\udcff';
  const path = Buffer.concat([Buffer.from(`${queue}/`), Buffer.from('sub-\xff', 'latin1')]);
  fs.mkdirSync(path);
  const work = () => {
    fs.rmdirSync(path);
    fs.writeFileSync(path, 'a file now');
  };
  const parent = whileListed(archive, join(queue, name), work);
  const { partial, warnings } = await fixture.backUp({}, { parent });
  assert.equal(partial, true);
  assert.match(warnings.join(), /sub-.* cannot be read: it was being replaced by another when it was to be read/);
});

test('a file system below the source that is unmounted, before or after its folder is listed, is named', async (t) => {
  const fixture = await filesFixture(t);
  for (const at of ['', 'inner']) {
    const disk = await smallDisk(t, 2 ** 20);
    makeFiles(disk, ['file', 'inner/file']);
    const held = join(disk, at).replace(/\/$/, '');
    const parent = knownFolders([held], (path) => {
      if (path === held) execFileSync('umount', ['--lazy', disk]);
    });
    const { partial, warnings } = await fixture.backUp({ paths: [join(disk, '..')] }, { parent });
    const text = `${disk} cannot be read: its file system was unmounted, or mounted, while it was read`;
    assert.deepEqual([partial, warnings.includes(text)], [true, true], `${held}: ${warnings}`);
  }
});

async function queueAndArchive(t: TestContext): Promise<{ fixture: Fixture; archive: string; queue: string }> {
  const fixture = await filesFixture(t);
  const [archive, queue] = [join(fixture.tree, 'archive'), join(fixture.tree, 'queue')];
  makeFiles(fixture.tree, ['archive/inner/file', 'queue/stays']);
  return { fixture, archive, queue };
}

function makeFiles(folder: string, names: readonly string[]): void {
  for (const name of names) {
    fs.mkdirSync(join(folder, name, '..'), { recursive: true });
    fs.writeFileSync(join(folder, name), name);
  }
}
