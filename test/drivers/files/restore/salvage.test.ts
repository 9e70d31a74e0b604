import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RestoreRequest, RestoreResult } from '../../../../core/driver/index.ts';
import { hasCode, TidemarkError } from '../../../../core/error.ts';
import { FaultyStore } from '../../../kit/faulty-store.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { type Fixture, filesFixture } from '../fixture.ts';
import {
  flipBlob,
  flipByte,
  missingFrom,
  type Place,
  packPath,
  placeOfFolder,
  placesOf,
  placesOfBytes,
  randomBytes,
} from './damaged-repository.ts';

const manifest = '/.tidemark/manifest.json';

test('one flipped byte costs one file: it is named with blob and pack, and not there', async (t) => {
  const at = await backedUp(t, 60);
  const [place] = placesOfBytes(at.places, bytesOf(17));
  flipBlob(at.fixture, place);
  const { result, missing } = await restoreInto(t, at);
  assert.deepEqual(missing, [pathOf(17)]);
  assert.deepEqual(result.notRestored, [
    {
      item: `${at.fixture.tree}${pathOf(17)}`,
      why: 'damaged',
      detail: `blob ${place.id} in pack ${place.pack} is damaged`,
    },
  ]);
  assert.equal(result.partial, true);
  assert.equal(result.notListed, 0);
});

test('damaged files are kept when asked for, named all the same, with zeros where bytes are missing', async (t) => {
  const fixture = await filesFixture(t);
  const large = randomBytes('large', 12 * 2 ** 20);
  fs.writeFileSync(join(fixture.tree, 'large'), large);
  fs.linkSync(join(fixture.tree, 'large'), join(fixture.tree, 'large too'));
  fs.writeFileSync(join(fixture.tree, 'small'), 'small');
  await fixture.backUp();
  const places = await placesOf(fixture);
  const ofLarge = places.filter((place) => place.type === 'data' && place.length > 100_000);
  assert(ofLarge.length > 4);
  for (const place of [ofLarge[1]!, ofLarge[3]!]) flipBlob(fixture, place);
  const into = await tempFolder(t);
  const result = await fixture.restore({ folder: into, keepDamaged: true });
  const restored = fs.readFileSync(join(into, fixture.tree, 'large'));
  const lost = ofLarge[1]!.length - 32 + ofLarge[3]!.length - 32;
  assert.equal(restored.length, large.length);
  assert.equal(differingBytes(restored, large) > lost * 0.99 && differingBytes(restored, large) <= lost, true);
  assert(restored.every((byte, offset) => byte === 0 || byte === large[offset]));
  assert.equal(fs.readFileSync(join(into, fixture.tree, 'small'), 'utf8'), 'small');
  assert.deepEqual(
    result.notRestored.map(({ item, why }) => [item, why]),
    ['large', 'large too'].map((name) => [join(fixture.tree, name), 'damaged']),
  );
  for (const { detail } of result.notRestored) for (const at of [1, 3]) assert(detail.includes(ofLarge[at]!.id));
  const { notRestored } = await fixture.restore({ folder: await tempFolder(t) });
  assert.equal(notRestored.length, 2, 'a second name of a damaged file is as damaged');
});

test('of a file whose blobs are in no index, what can be placed is kept at its place', async (t) => {
  const fixture = await filesFixture(t);
  const large = randomBytes('scattered', 50 * 2 ** 20);
  fs.writeFileSync(join(fixture.tree, 'large'), large);
  await fixture.backUp();
  const places = (await placesOf(fixture)).filter(({ type, length }) => type === 'data' && length > 100_000);
  const packs = [...new Set(places.map(({ pack }) => pack))];
  assert(packs.length > 2);
  fs.rmSync(join(fixture.folder, 'repository/index'), { recursive: true });
  flipByte(packPath(fixture, packs[1]!), -50);
  const into = await tempFolder(t);
  const { notRestored } = await fixture.restore({ folder: into, keepDamaged: true });
  assert.deepEqual(
    notRestored.map(({ why }) => why),
    ['damaged'],
  );
  assert.match(notRestored[0]!.detail, /^data blob [0-9a-f]{64} is in no index;.*; and \d+ more$/);
  const restored = fs.readFileSync(join(into, fixture.tree, 'large'));
  assert.equal(restored.length, large.length);
  for (let at = 0; at < large.length; at += 4096) {
    const [found, wanted] = [restored.subarray(at, at + 4096), large.subarray(at, at + 4096)];
    assert(
      found.every((byte, offset) => byte === 0 || byte === wanted[offset]),
      `at ${at}`,
    );
  }
  assert(differingBytes(restored, large) < large.length);
});

/** What is done to the repository, and what that costs: paths below the tree, or of the backup. */
const damages: Record<string, (at: BackedUp) => Promise<{ lost: string[]; says?: RegExp; warns?: RegExp }>> = {
  nothing: async () => ({ lost: [] }),
  'the header of a pack': async ({ fixture, dataPack }) => {
    flipByte(packPath(fixture, dataPack), -50);
    return { lost: [] };
  },
  'a pack that is gone': async (at) => {
    fs.rmSync(packPath(at.fixture, at.dataPack));
    return { lost: inDataPack(at), says: /^blob [0-9a-f]{64} is lost: pack [0-9a-f]{64} is missing$/ };
  },
  'a pack that is cut': async (at) => {
    const all = inDataPack(at);
    const placeOf = (path: string) => placesOfBytes(at.places, bytesOf(Number(path.split(' ').at(-1))))[0];
    const { offset, length } = placeOf(all[1]!);
    fs.truncateSync(packPath(at.fixture, at.dataPack), offset + length - 1);
    const lost = all.filter((path) => placeOf(path).offset >= offset);
    assert(lost.length > 0 && lost.length < all.length);
    return { lost, says: /is cut short$/ };
  },
  'the list of a folder': async ({ fixture, places }) => {
    const names = [...fixture.tree.split('/').slice(1), 'folder 1'];
    flipBlob(fixture, await placeOfFolder(fixture, places, names));
    return {
      lost: allPaths().filter((path) => path.startsWith('/folder 1/')),
      says: /nothing of this folder is known/,
    };
  },
  'the manifest of the backup': async ({ fixture, places }) => {
    const others = new Set(fileNumbers.map((file) => placesOfBytes(places, bytesOf(file))[0].id));
    flipBlob(fixture, places.find(({ id, type }) => type === 'data' && !others.has(id))!);
    return { lost: [manifest], says: /is damaged$/ };
  },
  'the index': async ({ fixture }) => {
    for (const name of fs.readdirSync(join(fixture.folder, 'repository/index'))) {
      flipByte(join(fixture.folder, 'repository/index', name), 100);
    }
    return { lost: [], warns: /^index\/[0-9a-f]{64} is damaged in the repository.*looked for in \d packs/s };
  },
  'an index that is gone': async ({ fixture }) => {
    fs.rmSync(join(fixture.folder, 'repository/index'), { recursive: true });
    return { lost: [], warns: /^blobs that no index names were looked for in \d packs/ };
  },
  'an index that is gone, and the header of the pack': async (at) => {
    fs.rmSync(join(at.fixture.folder, 'repository/index'), { recursive: true });
    flipByte(packPath(at.fixture, at.dataPack), -50);
    const says = /^data blob [0-9a-f]{64} is in no index$/;
    return { lost: inDataPack(at), says, warns: /of 1 of them that is damaged too/ };
  },
  'two packs that changed places': async ({ fixture, dataPack, places }) => {
    const another = places.find(({ type, pack }) => type === 'data' && pack !== dataPack)!.pack;
    const [one, other] = [packPath(fixture, dataPack), packPath(fixture, another)];
    const bytes = fs.readFileSync(one);
    fs.copyFileSync(other, one);
    fs.writeFileSync(other, bytes);
    const isSwapped = ({ pack }: Place) => pack === dataPack || pack === another;
    const lost = fileNumbers.filter((file) => isSwapped(placesOfBytes(places, bytesOf(file))[0])).map(pathOf);
    const swapped = places.filter((place) => place.type === 'data' && isSwapped(place)).length;
    return { lost: swapped > lost.length ? [...lost, manifest] : lost };
  },
};

for (const [what, damage] of Object.entries(damages)) {
  test(`damage: ${what}`, async (t) => {
    const at = await backedUp(t, fileNumbers.length);
    const { lost, says, warns } = await damage(at);
    const { result, missing } = await restoreInto(t, at);
    assert.deepEqual(missing, lost.filter((path) => path !== manifest).sort());
    const named = result.notRestored.map(({ item }) => item.replace(at.fixture.tree, ''));
    const folder = says?.source.includes('folder') ? ['/folder 1'] : lost;
    assert.deepEqual(named.sort(), [...folder].sort());
    for (const { detail } of result.notRestored) if (says) assert.match(detail, says);
    assert.equal(result.partial, lost.length > 0);
    if (warns === undefined) assert.deepEqual(result.warnings, []);
    else assert.match(result.warnings.join('\n'), warns);
  });
}

test('a blob that lies in several packs is read from the sound one, and lost when none is', async (t) => {
  const fixture = await filesFixture(t);
  writeFiles(fixture, 6);
  // Two backups at once know nothing of each other: each stores everything.
  await Promise.all([fixture.backUp(), fixture.backUp()]);
  const places = await placesOf(fixture);
  const twice = placesOfBytes(places, bytesOf(2));
  assert.equal(twice.length, 2);
  const trees = places.filter(({ type }) => type === 'tree');
  const doubles = trees.filter(({ id }, at) => trees.findIndex((one) => one.id === id) < at);
  assert(doubles.length > 0);
  for (const double of doubles) flipBlob(fixture, trees.find(({ id }) => id === double.id)!);
  const at = { fixture, places, dataPack: twice[0].pack };
  for (const one of twice) {
    flipBlob(fixture, one);
    const { result, missing } = await restoreInto(t, at);
    const both = one === twice[1];
    assert.deepEqual(missing, both ? [pathOf(2)] : []);
    assert.equal(result.notRestored.length, both ? 1 : 0);
  }
  fs.rmSync(packPath(fixture, twice[0].pack));
  const { missing } = await restoreInto(t, at);
  assert.deepEqual(missing, [pathOf(2)], 'a pack that is gone costs what only it had');
});

test('a destination that is down is no damage: the restore fails and leaves no temporary files', async (t) => {
  const at = await backedUp(t, 20);
  const down = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');
  const faulty = new FaultyStore(at.fixture.store, { method: 'get', match: /^data/, kind: 'cut', after: 1e9 });
  const into = await tempFolder(t);
  for (const match of [/^data/]) faulty.plan({ method: 'get', match, kind: 'cut', after: 1e9 });
  faulty.plan(
    ...Array.from({ length: 2 }, () => ({ method: 'get', match: /^data/, kind: 'error', error: down }) as const),
  );
  await assert.rejects(at.fixture.restore({ folder: into }, faulty), (error) =>
    hasCode(error, 'DESTINATION_UNREACHABLE'),
  );
  assert.deepEqual(leftovers(into), []);
});

test('a second name is never linked to the file of that name that was there before', async (t) => {
  const fixture = await filesFixture(t);
  fs.writeFileSync(join(fixture.tree, 'a'), bytesOf(1));
  fs.linkSync(join(fixture.tree, 'a'), join(fixture.tree, 'b'));
  await fixture.backUp();
  flipBlob(fixture, placesOfBytes(await placesOf(fixture), bytesOf(1))[0]);
  const into = await tempFolder(t);
  fs.mkdirSync(join(into, fixture.tree), { recursive: true });
  fs.writeFileSync(join(into, fixture.tree, 'a'), 'mine');
  const { notRestored } = await fixture.restore({ folder: into, overwrite: true });
  assert.deepEqual(fs.readdirSync(join(into, fixture.tree)), ['a']);
  assert.equal(fs.readFileSync(join(into, fixture.tree, 'a'), 'utf8'), 'mine');
  assert.deepEqual(
    notRestored.map(({ item }) => item).sort(),
    ['a', 'b'].map((name) => join(fixture.tree, name)),
  );
});

test('a file that reads back otherwise is named, and the others are restored', async (t) => {
  const at = await backedUp(t, 10);
  const into = await tempFolder(t);
  const spoilt = join(into, at.fixture.tree, pathOf(3));
  const spoil = () => fs.existsSync(spoilt) && fs.statSync(spoilt).size > 0 && fs.writeFileSync(spoilt, 'spoilt');
  // The second time that packs are read is to compare.
  const store = Object.assign(new FaultyStore(at.fixture.store), {});
  const get = store.get.bind(store);
  store.get = async (...args) => {
    if (args[0].startsWith('data/')) spoil();
    return get(...args);
  };
  const { notRestored, partial, items } = await at.fixture.restore({ folder: into, verify: true }, store);
  assert.deepEqual(
    notRestored.map(({ item, why }) => [item, why]),
    [[join(at.fixture.tree, pathOf(3)), 'differs']],
  );
  assert.equal(partial, true);
  assert.equal(items, 9);
});

interface BackedUp {
  readonly fixture: Fixture;
  readonly places: readonly Place[];
  /** The pack that holds the files. */
  readonly dataPack: string;
}

const fileNumbers = Array.from({ length: 12 }, (_, file) => file);

async function backedUp(t: TestContext, files: number): Promise<BackedUp> {
  const fixture = await filesFixture(t);
  writeFiles(fixture, files);
  await fixture.backUp();
  const places = await placesOf(fixture);
  return { fixture, places, dataPack: placesOfBytes(places, bytesOf(0))[0].pack };
}

function writeFiles(fixture: Fixture, files: number): void {
  for (let file = 0; file < files; file++) {
    const path = join(fixture.tree, pathOf(file));
    fs.mkdirSync(join(path, '..'), { recursive: true });
    fs.writeFileSync(path, bytesOf(file));
  }
}

function pathOf(file: number): string {
  return `/folder ${file % 3}/file ${file}`;
}

/** What lies in the pack of the first file, in the order of the pack. */
function inDataPack({ places, dataPack }: BackedUp): string[] {
  const placed = fileNumbers.map((file) => ({ file, place: placesOfBytes(places, bytesOf(file))[0] }));
  const inside = placed.filter(({ place }) => place.pack === dataPack);
  return inside.sort((a, b) => a.place.offset - b.place.offset).map(({ file }) => pathOf(file));
}

function allPaths(): string[] {
  return fileNumbers.map(pathOf).sort();
}

function bytesOf(file: number): Buffer {
  return randomBytes(`file ${file}`, 5_000);
}

/** Restores everything; what is there must be right. */
async function restoreInto(
  t: TestContext,
  { fixture }: BackedUp,
  request: Partial<RestoreRequest> = {},
): Promise<{ result: RestoreResult; missing: string[] }> {
  const into = await tempFolder(t);
  const result = await fixture.restore({ folder: into, ...request });
  assert.deepEqual(leftovers(into), []);
  return { result, missing: missingFrom(join(into, fixture.tree), fixture.tree) };
}

function leftovers(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => /\.tidemark-[0-9a-f]/.test(name));
}

function differingBytes(one: Buffer, other: Buffer): number {
  let count = 0;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) count += 1;
  return count;
}
