import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryState, Node, NodeType, Owner } from '../../../core/driver/index.ts';
import { compareNames, encodeName } from '../../../core/path-bytes.ts';
import { NodeMatcher } from '../../../core/repository/format/node-matcher.ts';
import { storedNodes } from '../../../core/repository/format/stored-nodes.ts';
import { decodeNodes, encodeNodes } from '../../../core/repository/format/tree.ts';
import { randomBytes } from './repository-kit.ts';

const owner: Owner = { uid: 0, gid: 50, user: 'root', group: 'st"aff' };
const second = 1_000_000_000n;
const times = [0n, 1n, 1_700_000_000n * second, 1_700_000_000_120_000_000n, 1_795_737_600n * second - 1n, -5n];
const names = ['a', 'b.log', 'b.log2', 'ß', '日本', 'back\\slash', 'line\nfeed', '"', '<&>', '\udcff\udc80x', '~'];

function nodeOf(name: string, seed: number, more: Partial<Node> = {}): Node {
  const pick = (of: number) => times[(seed + of) % times.length]!;
  const type: NodeType = seed % 4 === 0 ? 'dir' : 'file';
  const blobs = randomBytes(`${name} ${seed}`, 32 * (seed % 4));
  return {
    ...{
      name,
      type,
      mode: 0o644 + (seed % 3 === 0 ? 0o4000 : 0),
      ...owner,
      inode: BigInt(seed * 7919),
      deviceId: 64_769n,
    },
    ...{ mtimeNs: pick(0), atimeNs: pick(1), ctimeNs: pick(2), links: type === 'dir' ? undefined : 1 + (seed % 2) },
    content: type === 'file' ? { blobs, sizeBytes: blobs.length * 1000 } : undefined,
    subtree: type === 'dir' ? 'ab'.repeat(32) : undefined,
    extendedAttributes: seed % 5 === 0 ? [{ name: 'user.x","content":[', value: Buffer.from([1, 2]) }] : undefined,
    ...more,
  };
}

function stateOf(node: Node): EntryState {
  const seconds = (ns: bigint) => Number(ns >= 0n ? ns / second : ns / second - 1n);
  const nanos = (ns: bigint) => Number(ns >= 0n ? ns % second : (ns % second) + second);
  return {
    ...{ type: node.type, mode: node.mode, links: node.links ?? 2, inode: node.inode!, deviceId: node.deviceId! },
    ...{ sizeBytes: node.content?.sizeBytes ?? 4096 },
    ...{ mtimeSeconds: seconds(node.mtimeNs), mtimeNanos: nanos(node.mtimeNs) },
    ...{ atimeSeconds: seconds(node.atimeNs), atimeNanos: nanos(node.atimeNs) },
    ...{ ctimeSeconds: seconds(node.ctimeNs), ctimeNanos: nanos(node.ctimeNs) },
  };
}

const latin1 = (name: string) => encodeName(name).toString('latin1');
const open = (nodes: readonly Node[], has: (id: Uint8Array) => boolean = () => true) =>
  storedNodes(encodeNodes(nodes).bytes, { matcher: new NodeMatcher(), has });

test('a node is the same exactly when the encoder would write what is stored', () => {
  for (let seed = 0; seed < 60; seed++) {
    const node = nodeOf(names[seed % names.length]!, seed);
    const stored = open([node]);
    const at = stored.find(latin1(node.name));
    const isEarly = [node.mtimeNs, node.atimeNs, node.ctimeNs].some((ns) => ns < 0n);
    assert.equal(stored.isSame(at, stateOf(node), owner), !isEarly, `${seed}`);
    for (const other of changesOf(node)) assert(!stored.isSame(at, stateOf(other), owner), `${seed}`);
    const owners: Owner[] = [
      { ...owner, uid: 1 },
      { ...owner, gid: 5 },
      { ...owner, user: undefined },
      { ...owner, group: 'x' },
    ];
    for (const other of owners) assert(!stored.isSame(at, stateOf(node), other));
    assert.deepEqual(stored.node(at), decodeNodes(encodeNodes([node]).bytes)[0]);
  }
});

function changesOf(node: Node): Node[] {
  const common: Partial<Node>[] = [
    ...[{ mode: node.mode ^ 1 }, { mode: node.mode ^ 0o2000 }, { inode: node.inode! + 1n }, { inode: 2n ** 60n }],
    ...[{ deviceId: 1n }, { deviceId: 0n }, { type: 'fifo' as const }, { type: 'symlink' as const }],
    ...[
      { mtimeNs: node.mtimeNs + 1n },
      { atimeNs: node.atimeNs + 86_400n * second },
      { ctimeNs: node.ctimeNs + second },
    ],
    ...[{ mtimeNs: node.mtimeNs + 10n }, { ctimeNs: node.ctimeNs + 100_000_000n }],
  ];
  const { sizeBytes, blobs } = node.content ?? { sizeBytes: 0, blobs: new Uint8Array(0) };
  const ofFile: Partial<Node>[] = [
    ...[{ links: node.links! * 10 }, { links: 0 }, { content: { blobs, sizeBytes: sizeBytes * 10 + 1 } }],
    { type: 'dir' },
  ];
  return [...common, ...(node.type === 'file' ? ofFile : [{ type: 'file' as const }])].map((one) => ({
    ...node,
    ...one,
  }));
}

test('nodes that are kept and new ones are encoded as all of them would be', () => {
  for (let seed = 0; seed < 200; seed++) {
    const all = names.map((name, at) => nodeOf(name, seed + at));
    const stored = open(all);
    const kept = all.filter((_, at) => randomBytes(`kept ${seed} ${at}`, 1)[0]! % 3 > 0);
    for (const { name } of kept) stored.keep(stored.find(latin1(name)));
    const fresh = Array.from({ length: seed % 4 }, (_, at) =>
      nodeOf(`new ${String.fromCharCode(0x21 + seed + at)}`, at),
    );
    const open_ = (node: Node) => ({ ...node, subtree: undefined });
    const found = stored.encode(fresh.map(open_));
    const expected = encodeNodes([...kept, ...fresh].map(open_));
    assert.deepEqual(found.subtreeOffsets, expected.subtreeOffsets);
    const subtrees = [...found.subtreeOffsets].map(() => 'cd'.repeat(32));
    assert.equal(filled(found, subtrees), filled(expected, subtrees));
    assert.equal(stored.subtreeOffsetsIfAll !== undefined, kept.length === all.length);
  }
});

function filled({ bytes, subtreeOffsets }: ReturnType<typeof encodeNodes>, subtrees: readonly string[]): string {
  const copy = Buffer.from(bytes);
  for (const [at, id] of subtrees.entries()) copy.write(id, subtreeOffsets[at]!);
  return copy.toString();
}

test('a tree of which everything is kept has its subtrees where they were', () => {
  const all = names.map((name, at) => nodeOf(name, at)).sort((a, b) => compareNames(a.name, b.name));
  const stored = open(all);
  for (const { name } of all) stored.keep(stored.find(latin1(name)));
  const bytes = Buffer.from(encodeNodes(all).bytes);
  const subtrees = [...stored.subtreeOffsetsIfAll!].map((at) => bytes.toString('latin1', at, at + 64));
  assert.deepEqual(
    subtrees,
    all.filter(({ type }) => type === 'dir').map(({ subtree }) => subtree),
  );
});

test('of a file every blob must be there, one of many too', () => {
  const node = nodeOf('a', 7);
  const stored = open([node]);
  assert(stored.isSame(0, stateOf(node), owner) && stored.hasContent(0));
  for (const lost of [0, 1, 2]) {
    const id = Buffer.from(node.content!.blobs.subarray(lost * 32, lost * 32 + 32));
    assert(!open([node], (one) => !id.equals(one)).hasContent(0), `${lost}`);
  }
});

test('what is neither file nor folder is kept where it would be stored alike', () => {
  const node = nodeOf('a', 1, { type: 'symlink', content: undefined, linkTarget: 'x' });
  const stored = open([node]);
  assert(!stored.isSame(0, stateOf(node), owner));
  assert(!stored.keepsAlike(0, { ...node, linkTarget: 'y' }) && stored.subtreeOffsetsIfAll === undefined);
  assert(stored.keepsAlike(0, node) && stored.subtreeOffsetsIfAll !== undefined);
});

test('of a tree that is written otherwise nothing counts as the same; what is no tree is corrupt', () => {
  const tools = { matcher: new NodeMatcher(), has: () => true };
  const [a, b] = [nodeOf('a', 1), nodeOf('b', 2)];
  const text = Buffer.from(encodeNodes([a, b]).bytes).toString();
  const [first, last] = text.slice(10, -3).split(/(?<=\}),(?=\{"name")/);
  const others = [
    ...[text.replace('{"nodes":[', '{ "nodes":['), text.replace(']}\n', ']}'), text.replace(',"type"', ', "type"')],
    `{"nodes":[${last},${first}]}\n`,
  ];
  for (const other of others) {
    const stored = storedNodes(Buffer.from(other), tools);
    const at = stored.find('a');
    assert(at >= 0 && !stored.isSame(at, stateOf(a), owner), other);
    assert.equal(stored.node(at).name, 'a');
    assert.deepEqual(stored.encode([a]), encodeNodes([a]));
  }
  for (const broken of [text.slice(0, -5), '', '{"nodes":[', text.replace('"nodes"', '"nods"'), '{"nodes":[{]}\n'])
    assert.throws(() => storedNodes(Buffer.from(broken), tools), { code: 'REPOSITORY_CORRUPT' }, broken);
});
