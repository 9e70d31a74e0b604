import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '../../../../core/error.ts';
import { assertSameTrees } from '../../../kit/compare-trees.ts';
import { runOk, start, waitFor } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { filesFixture } from '../fixture.ts';

test('excludes of the source and of the plan leave out what they match and everything below', async (t) => {
  const fixture = await filesFixture(t);
  const names = [
    'a.tmp',
    'keep',
    'node_modules/x/y',
    'deep/node_modules/z',
    'deep/er/b.tmp',
    'deep/er/keep',
    'top/a',
    'x/top/a',
  ];
  for (const name of names) writeFile(join(fixture.tree, name), name);
  const exclude = ['**/*.tmp', 'node_modules'];
  await fixture.backUp({ exclude }, { exclude: [join(fixture.tree, 'top')] });
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into });
  assert.deepEqual(filesBelow(join(into, fixture.tree)), ['deep/er/keep', 'keep', 'x/top/a']);
});

test('an include takes what it matches and everything below', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a/x.sql', 'a/y', 'b/whole/y', 'c/z']) writeFile(join(fixture.tree, name), name);
  await fixture.backUp({}, { include: ['*.sql', join(fixture.tree, 'b/whole')] });
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into });
  assert.deepEqual(filesBelow(join(into, fixture.tree)), ['a/x.sql', 'b/whole/y']);
});

test('another file system is left out when asked, but for its mount point', async (t) => {
  const fixture = await filesFixture(t);
  writeFile(join(fixture.tree, 'here'), 'x');
  const mount = join(fixture.tree, 'mount');
  fs.mkdirSync(mount);
  await runOk('mount', ['-t', 'tmpfs', 'tidemark-test', mount]);
  atEnd(t, async () => void (await runOk('umount', [mount])));
  writeFile(join(mount, 'there'), 'x');
  for (const [oneFileSystem, expected] of [
    [true, ['here']],
    [false, ['here', 'mount/there']],
  ] as const) {
    await fixture.backUp({ oneFileSystem });
    const into = join(fixture.folder, `into-${oneFileSystem}`);
    await fixture.restore({ folder: into });
    assert.deepEqual(filesBelow(join(into, fixture.tree)), expected);
    assert(fs.statSync(join(into, fixture.tree, 'mount')).isDirectory());
  }
});

test('files that change while they are read are named, whole, and read again next time', async (t) => {
  const fixture = await filesFixture(t);
  const [small, large] = [join(fixture.tree, 'small.log'), join(fixture.tree, 'large.log')];
  fs.writeFileSync(small, Buffer.alloc(20 * 2 ** 20, 'a'));
  fs.writeFileSync(large, Buffer.alloc(70 * 2 ** 20, 'b'));
  const loop = `while :; do printf x >> '${small}'; printf x >> '${large}'; sleep 0.01; done`;
  const writer = await start(t, 'sh', ['-c', loop]);
  await waitFor('the first bytes', () => fs.statSync(large).size > 70 * 2 ** 20);
  const facts = await fixture.backUp();
  await writer.end('SIGKILL');
  assert.equal(facts.partial, false);
  assert.deepEqual(facts.warnings.map((text) => text.split(' changed while')[0]).sort(), [large, small]);
  const into = join(fixture.folder, 'into');
  await fixture.restore({ folder: into });
  const restored = fs.readFileSync(join(into, large));
  assert(restored.equals(fs.readFileSync(large).subarray(0, restored.length)));
  const again = await fixture.backUp();
  assert.deepEqual([again.warnings, again.totals.unchangedItems], [[], 0]);
});

test('what cannot be read is named and makes the backup partial; the rest is there', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['open', 'secret', 'closed/inside']) writeFile(join(fixture.tree, name), name);
  await runOk('chown', ['-R', '65534:65534', fixture.folder]);
  fs.chownSync(join(fixture.tree, 'secret'), 0, 0);
  fs.chmodSync(join(fixture.tree, 'secret'), 0o600);
  fs.chmodSync(join(fixture.tree, 'closed'), 0o000);
  const into = join(fixture.folder, 'into');
  const { facts, restored } = await asNobody(async () => {
    const facts = await fixture.backUp();
    fs.chmodSync(join(fixture.tree, 'closed'), 0o700);
    return { facts, restored: await fixture.restore({ folder: into }) };
  });
  assert.equal(facts.partial, true);
  assert.deepEqual(facts.warnings.map((text) => text.split(' cannot be read: EACCES')[0]).sort(), [
    join(fixture.tree, 'closed'),
    join(fixture.tree, 'secret'),
  ]);
  assert.deepEqual(filesBelow(join(into, fixture.tree)), ['open']);
  assert.match(restored.warnings.join('\n'), /the owner of \d+ entries could not be set/);
});

test('a path that is missing makes the backup partial, all missing fail it, a link is said to be one', async (t) => {
  const fixture = await filesFixture(t);
  writeFile(join(fixture.tree, 'real/file'), 'x');
  fs.symlinkSync('real', join(fixture.tree, 'link'));
  const facts = await fixture.backUp({ paths: [join(fixture.tree, 'missing'), join(fixture.tree, 'link/file')] });
  assert.equal(facts.partial, true);
  assert.match(facts.warnings[0]!, /missing cannot be read: ENOENT/);
  assert.equal(facts.contents[0]!.path, join(fixture.tree, 'real/file'));
  const linked = await fixture.backUp({ paths: [join(fixture.tree, 'link')] });
  assert.match(linked.warnings[0]!, /is a symbolic link/);
  const missing = fixture.backUp({ paths: [join(fixture.tree, 'missing')] });
  await assert.rejects(missing, (error) => hasCode(error, 'SOURCE_UNREACHABLE'));
});

test('an aborted backup ends with the reason', async (t) => {
  const fixture = await filesFixture(t);
  for (let number = 0; number < 20; number++) writeFile(join(fixture.tree, `${number}/file`), 'x');
  const reason = new Error('enough');
  await assert.rejects(fixture.backUp({}, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test('a second backup on top of restic’s own reuses its contents', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['a', 'b/c']) writeFile(join(fixture.tree, name), name);
  await fixture.restic(['backup', fixture.tree]);
  await fixture.backUp();
  await fixture.restic(['check', '--read-data']);
  await fixture.restic(['restore', 'latest', '--target', join(fixture.folder, 'into')]);
  assertSameTrees(join(fixture.folder, 'into', fixture.tree), fixture.tree);
});

async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const group = process.getegid!();
  process.setegid!(65534);
  process.seteuid!(65534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
    process.setegid!(group);
  }
}

function writeFile(path: string, text: string): void {
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.writeFileSync(path, text);
}

function filesBelow(folder: string): string[] {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return found.map((path) => path.slice(folder.length + 1)).sort();
}

test('data that the repository has lost is read and stored again, though no file has changed', async (t) => {
  const fixture = await filesFixture(t);
  for (const name of ['one', 'two']) fs.writeFileSync(join(fixture.tree, name), `${name} `.repeat(1000));
  await fixture.backUp();
  const [index] = (await fixture.restic(['list', 'index'])).stdout.trim().split('\n');
  const { packs } = JSON.parse((await fixture.restic(['cat', 'index', index!])).stdout) as {
    packs: { id: string; blobs: { uncompressed_length?: number }[] }[];
  };
  const holding = packs.filter(({ blobs }) => blobs.some((blob) => blob.uncompressed_length === 4000));
  for (const { id } of holding) fs.rmSync(join(fixture.folder, 'repository/data', id.slice(0, 2), id));
  await fixture.restic(['rebuild-index']);
  const facts = await fixture.backUp();
  assert.equal(facts.totals.unchangedItems, 0);
  await fixture.restic(['check', '--read-data']);
  await fixture.restore({ folder: join(fixture.folder, 'into') });
  assertSameTrees(join(fixture.folder, 'into', fixture.tree), fixture.tree);
});
