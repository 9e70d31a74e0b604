import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Node } from '../../../../core/driver/index.ts';
import type { Bits } from '../../../../core/repository/bits.ts';
import type { BlobIndex } from '../../../../core/repository/blob-index.ts';
import { blobKey } from '../../../../core/repository/blob-index.ts';
import { fromHex, toHex } from '../../../../core/repository/format/blob-id.ts';
import { decodeNodes, encodeNodes } from '../../../../core/repository/format/tree.ts';
import { TreeRefs } from '../../../../core/repository/walk/tree-refs.ts';
import { TreeWalk, type WalkDamage } from '../../../../core/repository/walk/tree-walk.ts';
import { RecordingStore } from '../../../kit/recording-store.ts';
import { tempFolder } from '../../../kit/temp.ts';
import {
  coded,
  fileNode,
  folderNode,
  newPlace,
  noSignal,
  type Place,
  randomBytes,
  readBackup,
  reopen,
  sha256,
  walk as walkNodes,
  writeBackup,
} from '../repository-kit.ts';
import { partsOf, withoutBlobs } from './parts-of.ts';

const id = (seed: string) => toHex(randomBytes(seed, 32));
const named = (encoded: string | Uint8Array) => {
  const refs = new TreeRefs();
  refs.read(typeof encoded === 'string' ? Buffer.from(encoded) : encoded);
  const list = (ids: TreeRefs['contents']) => Array.from({ length: ids.count }, (_, at) => toHex(ids.at(at)));
  return { contents: list(refs.contents), subtrees: list(refs.subtrees) };
};

test('what a tree names is found in its bytes, whatever its names look like', () => {
  const words = [
    '","type":"',
    ',"content":["',
    '"',
    '\\',
    '{"name":"',
    ']}\n',
    '},{"name":"',
    id('x'),
    '\u2028',
    'ä',
    '',
  ];
  let state = 7;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const word = () => Array.from({ length: random(5) }, () => words[random(words.length)]).join('');
  for (let round = 0; round < 300; round++) {
    const nodes: Node[] = Array.from({ length: random(6) }, (_, at) => {
      const more = {
        extendedAttributes: [{ name: word(), value: Buffer.from(word()) }],
        user: word(),
        linkTarget: undefined,
      };
      const name = `${at}${word()}`;
      if (random(3) === 0) return folderNode(name, id(`${round} ${at}`), more);
      if (random(4) === 0) return { ...fileNode(name), type: 'symlink', content: undefined, linkTarget: word() };
      return fileNode(name, { blobs: randomBytes(`${round} ${at}`, 32 * random(4)), sizeBytes: 9 }, more);
    });
    const { bytes } = encodeNodes(nodes);
    const expected = {
      contents: decodeNodes(bytes).flatMap(({ content }) => (content === undefined ? [] : split(toHex(content.blobs)))),
      subtrees: decodeNodes(bytes).flatMap(({ subtree }) => subtree ?? []),
    };
    assert.deepEqual(named(bytes), expected);
    const loose = JSON.stringify(JSON.parse(Buffer.from(bytes).toString()), undefined, round % 3);
    assert.deepEqual(named(loose), expected);
  }
});

test('a tree that is written in another way is read as JSON, and what is not understood is refused', () => {
  const [a, b] = [id('a'), id('b')];
  const both = { contents: [a], subtrees: [b] };
  assert.deepEqual(
    named(`{"nodes":[{"type":"file","name":"x","content":["${a}"]},{"subtree":"${b}","name":"y","type":"dir"}]}`),
    both,
  );
  assert.deepEqual(
    named(
      `{"nodes":[{"name":"x","type":"file","cont\\u0065nt":["${a}"],"content":null},{"name":"y","type":"dir","content":null,"subtree":"${b}"}]}`,
    ).subtrees,
    [b],
  );
  assert.deepEqual(
    named(
      `{"nodes":[{"name":"x","type":"file","cont\\u0065nt":["${a}"]},{"name":"y","type":"dir","content":null,"subtree":"${b}"}]}`,
    ),
    both,
  );
  assert.deepEqual(
    named(
      `{"nodes":[{"name":"x","type":"file","content":["${a}"],"error":"read"},{"name":"y","type":"dir","content":null,"subtree":"${b}"}]}\n`,
    ),
    both,
  );
  assert.deepEqual(named('{"nodes":null}\n'), { contents: [], subtrees: [] });
  assert.deepEqual(named('{"nodes":[]}\n'), { contents: [], subtrees: [] });
  for (const bad of [
    '',
    '{}',
    '[]',
    'null',
    '{"nodes":5}',
    '{"nodes":[null]}',
    '{"nodes":[5]}',
    `{"nodes":[{"name":"x","type":"file","content":["${a.slice(1)}"]}]}`,
    `{"nodes":[{"name":"x","type":"file","content":["${a.toUpperCase()}"]}]}`,
    `{"nodes":[{"name":"x","type":"file","content":"${a}"}]}`,
    `{"nodes":[{"name":"x","type":"file","Content":["${a}"]}]}`,
    '{"nodes":[{"name":"x","type":"dir","content":null}]}\n',
    `{"nodes":[{"name":"x","type":"file","content":["${a}"]}`,
  ]) {
    assert.throws(() => named(bad), coded('REPOSITORY_CORRUPT'), bad);
  }
});

function split(hex: string): string[] {
  return hex.match(/.{64}/g) ?? [];
}

/** Folders below folders, two snapshots that share most, and one of stock restic. */
async function threeSnapshots(t: TestContext): Promise<Place> {
  const place = await newPlace(t);
  for (const round of ['one', 'two']) {
    await writeBackup(place.repository, async (sink) => {
      const folders: Node[] = [];
      for (let at = 0; at < 40; at++) {
        const own = at < 38 ? '' : round;
        const inner = await sink.tree([fileNode('deep', await sink.content(randomBytes(`deep ${at}${own}`, 3000)))]);
        folders.push(folderNode(`${at}`, await sink.tree([folderNode('inner', inner), fileNode('empty')])));
      }
      return [...folders, fileNode('zeal', await sink.content(Buffer.from(round)))];
    });
  }
  const source = await tempFolder(t);
  await mkdir(join(source, 'a "quoted"\n/b'), { recursive: true });
  await writeFile(join(source, 'a "quoted"\n/b/file'), 'from restic');
  await place.restic(['backup', source]);
  return place;
}

test('a walk marks what all snapshots need, reads each tree once, and few requests at that', async (t) => {
  const { store } = await threeSnapshots(t);
  const recording = new RecordingStore(store);
  const repository = await reopen(recording);
  const snapshots = await Array.fromAsync(repository.snapshots());
  const parts = await partsOf(recording);
  const walk = new TreeWalk(parts, { signal: noSignal });
  recording.calls.length = 0;
  await walk.walk(snapshots.map(({ tree }) => tree));
  await walk.walk(snapshots.map(({ tree }) => tree));
  const expected = new Set<number>();
  const trees = new Set<string>();
  for (const snapshot of snapshots) {
    await using backup = await readBackup(repository, snapshot.id);
    const nodes = [...(await walkNodes(backup, snapshot.tree)).values()];
    const subtrees = [snapshot.tree, ...nodes.flatMap(({ subtree }) => subtree ?? [])];
    for (const tree of subtrees) {
      trees.add(tree);
      expected.add(parts.index.placeOf(blobKey('tree', fromHex(tree)))!);
    }
    for (const hex of nodes.flatMap(({ content }) => split(toHex(content?.blobs ?? new Uint8Array())))) {
      expected.add(parts.index.placeOf(fromHex(hex))!);
    }
  }
  assert.deepEqual(
    usedPlaces(parts.index, walk.used),
    [...expected].sort((a, b) => a - b),
  );
  assert.equal(walk.treeCount, trees.size);
  const cost = recording.calls.filter(({ method, name }) => method === 'get' && name.startsWith('data/')).length;
  assert(cost <= 200, `${cost} requests`);
});

function usedPlaces(index: BlobIndex, used: Bits): number[] {
  return Array.from({ length: index.count }, (_, place) => place).filter((place) => used.has(place));
}

test('what is lost is told with the trees that name it', async (t) => {
  const { store } = await threeSnapshots(t);
  const repository = await reopen(store);
  const snapshots = (await Array.fromAsync(repository.snapshots())).filter(({ tags }) => tags.includes('tidemark'));
  const parts = await partsOf(store);
  const contentId = (seed: string) => fromHex(sha256(randomBytes(seed, 3000)));
  await using backup = await readBackup(repository, snapshots[0]!.id);
  const tree = (await walkNodes(backup, snapshots[0]!.tree)).get('/3/inner')!.subtree!;
  const broken = withoutBlobs(parts, [contentId('deep 39two'), blobKey('tree', fromHex(tree))]);
  await assert.rejects(
    new TreeWalk(broken, { signal: noSignal }).walk(snapshots.map(({ tree }) => tree)),
    coded('REPOSITORY_CORRUPT', /in no index/),
  );
  const damages: WalkDamage[] = [];
  const walk = new TreeWalk(broken, { signal: noSignal, onDamage: (damage) => damages.push(damage) });
  await walk.walk(snapshots.map(({ tree }) => tree));
  assert.deepEqual(damages.map(({ type, namedBy }) => [type, typeof namedBy]).sort(), [
    ['data', 'string'],
    ['tree', 'string'],
  ]);
});
