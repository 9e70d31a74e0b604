import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomBytes } from '../../../core/repository/repository-kit.ts';
import { run, runOk } from '../../../kit/process.ts';
import { atEnd } from '../../../kit/scope.ts';
import { type Fixture, filesFixture } from '../fixture.ts';
import { flipBlob, placeOfFolder, placesOf } from '../restore/damaged-repository.ts';

/** Each does something to the pack that holds the trees of a backup. */
const damages: Readonly<Record<string, (pack: string) => void>> = {
  'the first folder that was stored is damaged': (pack) => flip(pack, 40),
  'a folder in the middle is damaged': (pack) => flip(pack, Math.floor(fs.statSync(pack).size / 2)),
  'most folders are damaged': flipMost,
};

for (const [name, damage] of Object.entries(damages))
  test(`where ${name}, an unchanged backup says so and is whole all the same`, async (t) => {
    const fixture = await filesFixture(t);
    makeTree(fixture.tree);
    await fixture.backUp();
    const before = await namesAndContents(fixture);
    damage(treePack(fixture));
    const { warnings, partial } = await fixture.backUp();
    assert.match(warnings.join('\n'), /is read anew, because its folder in the previous backup is damaged/);
    assert.equal(partial, false);
    assert.deepEqual(await namesAndContents(fixture), before);
    fs.renameSync(fixture.tree, `${fixture.tree}.before`);
    const restored = await fixture.restore();
    assert.deepEqual([restored.partial, restored.notRestored], [false, []]);
    const { code, stdout } = await run('diff', ['--recursive', `${fixture.tree}.before`, fixture.tree]);
    assert.deepEqual([code, stdout], [0, '']);
    const again = await fixture.backUp();
    assert.deepEqual(again.warnings, []);
  });

test('a folder of the parent that is damaged in one pack and whole in another is taken over, and nothing is said', async (t) => {
  const fixture = await filesFixture(t);
  makeTree(fixture.tree);
  await fixture.backUp();
  const pack = treePack(fixture);
  flipMost(pack);
  await fixture.backUp(); // stores them again
  const before = await namesAndContents(fixture);
  const { warnings, totals } = await fixture.backUp();
  assert.deepEqual([warnings, totals.unchangedItems], [[], totals.items]);
  assert.deepEqual(await namesAndContents(fixture), before);
});

test('a mount point that is left out, in a folder that is damaged in the parent, relies on nothing stored', async (t) => {
  const fixture = await filesFixture(t);
  const mount = join(fixture.tree, 'mount');
  fs.mkdirSync(mount);
  await runOk('mount', ['-t', 'tmpfs', 'tidemark-test', mount]);
  atEnd(t, async () => void (await runOk('umount', [mount])));
  await fixture.backUp({ oneFileSystem: true });
  const names = fixture.tree.split('/').slice(1);
  const places = await placesOf(fixture);
  const [above, empty] = [
    await placeOfFolder(fixture, places, names),
    await placeOfFolder(fixture, places, [...names, 'mount']),
  ];
  for (const place of [above, empty]) flipBlob(fixture, place);
  const { warnings } = await fixture.backUp({ oneFileSystem: true });
  assert.match(warnings.join('\n'), /is read anew, because its folder in the previous backup is damaged/);
  assert.ok((await fixture.nodes()).has(mount));
  const again = (await placesOf(fixture)).filter(({ id }) => id === empty.id);
  assert.equal(again.length, 2);
});

function makeTree(root: string): void {
  for (let folder = 0; folder < 12; folder++) {
    const path = join(root, `area-${folder % 3}`, `set-${folder}`);
    fs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 8; file++)
      fs.writeFileSync(join(path, `file-${file}`), randomBytes(`${folder} ${file}`, 2000));
  }
}

/** Bytes of files are in a pack of their own, which is larger. */
function treePack({ folder }: Fixture): string {
  const data = join(folder, 'repository', 'data');
  const packs = fs.readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bySize = packs
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort((a, b) => fs.statSync(a).size - fs.statSync(b).size);
  return bySize.find((path) => fs.statSync(path).size > 4000)!;
}

/** Without a whole root nothing is known of the parent. */
function flipMost(pack: string): void {
  for (let at = 40; at < fs.statSync(pack).size * 0.6; at += 100) flip(pack, at);
}

function flip(path: string, at: number): void {
  const bytes = fs.readFileSync(path);
  bytes[at]! ^= 1;
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, bytes);
}

async function namesAndContents(fixture: Fixture): Promise<[string, string | undefined][]> {
  const nodes = [...(await fixture.nodes())];
  return nodes.map(([path, { content }]) => [path, content && Buffer.from(content.blobs).toString('hex')]);
}
