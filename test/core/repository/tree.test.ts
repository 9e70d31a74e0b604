import assert from 'node:assert/strict';
import { chmod, link, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Node } from '../../../core/driver/index.ts';
import { compareNames, decodeName, encodeName } from '../../../core/path-bytes.ts';
import { jsonString, quoteName, unquoteName } from '../../../core/repository/format/go-text.ts';
import { formatTime, parseTime } from '../../../core/repository/format/go-time.ts';
import { decodeNodes, encodeNodes, fillSubtrees } from '../../../core/repository/format/tree.ts';
import { runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import {
  coded,
  fileNode,
  folderNode,
  newPlace,
  randomBytes,
  readBackup,
  reopen,
  walk,
  writeBackup,
} from './repository-kit.ts';

/** Names as a file system may hold them: bytes. */
const oddNames = [
  ...Array.from({ length: 31 }, (_, at) => [at + 1]), // each control character
  ...['"', '\\', "'", '`', '\\n', '\\x41', '\\"', '<&>', 'two  spaces', ' lead', 'end ', '\x7f', 'a\tb\nc\r'],
  ...['\u0080', '\u00a0', '\u00ad', '\u2028', '\u2029', '\u200b', '\ufeff', '\ufffd', '\u0378', '\ue000', '\u3000'],
  ...['é', 'e\u0301', 'ﬁ', '日本語', '😀', '👩‍👩‍👧', '\u{10ffff}', '\u{e0001}', '\u{1d15e}', 'ß', 'İ'],
  ...[[0xff], [0xc3], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0x80, 0xbf], [0xc0, 0xaf]],
  ...[
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x80, 0xa8, 0xff],
    [0x41, 0xfe, 0x0a, 0x5c, 0x22],
  ],
].map((name) => Buffer.from(name as string));

test('names survive quoting, also invalid UTF-8', () => {
  const random = randomBytes('names', 40_000);
  const names = Array.from({ length: 2000 }, (_, at) => random.subarray(at * 20, at * 20 + (at % 20)));
  for (const bytes of [...oddNames, ...names]) {
    const name = decodeName(bytes);
    assert(encodeName(name).equals(bytes), bytes.toString('hex'));
    assert.equal(unquoteName(quoteName(name)), name, bytes.toString('hex'));
    assert(!/[\u0000-\u001f\u007f]/.test(quoteName(name)));
    assert.equal(JSON.parse(jsonString(quoteName(name))), quoteName(name));
  }
});

test('names are quoted as Go does', () => {
  const quoted: [string, string][] = [
    ['\x07\b\f\n\r\t\v', '\\a\\b\\f\\n\\r\\t\\v'],
    ['"\'\\', '\\"\'\\\\'],
    ['\x00\x1f\x7f', '\\x00\\x1f\\x7f'],
    ['\u0085\u00a0\u00ad\u2028\ufeff', '\\u0085\\u00a0\\u00ad\\u2028\\ufeff'],
    ['\u{e0001}\u{10ffff}', '\\U000e0001\\U0010ffff'],
    ['é日😀\ufffd', 'é日😀\ufffd'],
    ['\udcff\udc80', '\\xff\\x80'],
  ];
  for (const [name, expected] of quoted) assert.equal(quoteName(name), expected);
  assert.equal(unquoteName('\\101\\377\\u0041\\U0001f600'), 'A\udcffA😀');
  assert.equal(
    jsonString('<&>\u2028\u2029"\\\n\x01\b\f'),
    '"\\u003c\\u0026\\u003e\\u2028\\u2029\\"\\\\\\n\\u0001\\u0008\\u000c"',
  );
});

test('times: nanoseconds, before 1970, the years of Go’s JSON, and zones', () => {
  const exact: [bigint, string][] = [
    [0n, '1970-01-01T00:00:00Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [-1_500_000_000n, '1969-12-31T23:59:58.5Z'],
    [1_700_000_000_000_000_001n, '2023-11-14T22:13:20.000000001Z'],
    [1_700_000_000_120_000_000n, '2023-11-14T22:13:20.12Z'],
    [-62_135_596_800_000_000_000n, '0001-01-01T00:00:00Z'],
    [253_402_300_799_999_999_999n, '9999-12-31T23:59:59.999999999Z'],
    [951_782_400_000_000_000n, '2000-02-29T00:00:00Z'],
  ];
  for (const [timeNs, text] of exact) {
    assert.equal(formatTime(timeNs), text);
    assert.equal(parseTime(text), timeNs);
  }
  assert.equal(formatTime(10n ** 22n), '9999-12-31T23:59:59Z');
  assert.equal(formatTime(-(10n ** 22n)), '0000-01-01T00:00:00Z');
  assert.equal(parseTime('2023-11-15T00:13:20.5+02:00'), 1_700_000_000_500_000_000n);
  assert.equal(parseTime('2023-11-14T16:43:20-05:30'), 1_700_000_000_000_000_000n);
  assert.equal(parseTime('yesterday'), undefined);
});

test('a tree with every field survives, and restic’s bytes come out again', () => {
  const nodes: Node[] = [
    fileNode('setuid', undefined, { mode: 0o6755, inode: 2n ** 64n - 1n, deviceId: 2n ** 63n + 1n, links: 3 }),
    fileNode(
      'owned',
      { blobs: randomBytes('ids', 96), sizeBytes: 2 ** 40 },
      { uid: 4_294_967_295, user: 'a&b', group: 'g' },
    ),
    folderNode('dir', 'ab'.repeat(32), { mode: 0o1777 }),
    { ...fileNode('link'), type: 'symlink', mode: 0o777, content: undefined, linkTarget: 'a\udcff/"b' },
    { ...fileNode('disk'), type: 'dev', content: undefined, device: 0x801n },
    { ...fileNode('tty'), type: 'chardev', content: undefined, device: 2n ** 60n + 3n },
    { ...fileNode('fifo'), type: 'fifo', content: undefined },
    { ...fileNode('socket'), type: 'socket', content: undefined },
    fileNode('attributes', undefined, {
      extendedAttributes: [
        { name: 'user.x', value: Buffer.from([0, 255]) },
        { name: 'user.empty', value: Buffer.alloc(0) },
      ],
    }),
  ];
  const { bytes } = encodeNodes(nodes);
  const back = decodeNodes(bytes);
  assert.deepEqual(
    back.map(({ name }) => name),
    nodes.map(({ name }) => name).sort(),
  );
  for (const node of nodes) {
    const found = back.find(({ name }) => name === node.name)!;
    for (const key of Object.keys(node) as (keyof Node)[])
      assert.deepEqual(comparable(found[key]), comparable(node[key]), `${node.name} ${key}`);
  }
  assert(Buffer.from(encodeNodes(back).bytes).equals(bytes));
});

test('the gaps for subtrees are filled in the order of the entries', () => {
  const names = ['z', 'ä', 'a"', '\udcff', 'b'];
  const folders = names.map((name) => ({ ...folderNode(name, ''), subtree: undefined }));
  const encoded = encodeNodes([...folders, fileNode('file'), folderNode('known', '12'.repeat(32))]);
  const open = decodeNodes(encoded.bytes).filter((node) => names.includes(node.name));
  assert.deepEqual(
    open.map((node) => node.name),
    ['a"', 'b', 'z', 'ä', '\udcff'],
  );
  const ids = open.map((_, at) => String(at).repeat(64));
  const filled = decodeNodes(fillSubtrees(encoded, ids));
  assert.deepEqual(
    filled.filter((node) => names.includes(node.name)).map((node) => node.subtree),
    ids,
  );
  assert.equal(filled.find((node) => node.name === 'known')?.subtree, '12'.repeat(32));
  assert.throws(() => fillSubtrees(encoded, ids.slice(1)), coded('BUG', /5 sub folders but got 4/));
});

test('two entries of one name are refused; what is no tree is corrupt', () => {
  assert.throws(
    () => encodeNodes([fileNode('a'), fileNode('b'), fileNode('a')]),
    coded('REPOSITORY_CORRUPT', /two entries named a/),
  );
  for (const text of ['', '{"nodes":[{]}', 'null', '[]', '{"nodes":[{"name":"x","type":"teapot"}]}']) {
    assert.throws(() => decodeNodes(Buffer.from(text)), coded('REPOSITORY_CORRUPT'), text);
  }
  assert.equal(Buffer.from(encodeNodes([]).bytes).toString(), '{"nodes":[]}\n');
  assert.deepEqual(decodeNodes(Buffer.from('{"nodes":null}\n')), []);
});

test('restic’s own trees of odd files are decoded and encoded again to the same bytes', async (t) => {
  const { repository, restic } = await newPlace(t);
  const source = await oddFolder(await tempFolder(t));
  await restic(['backup', source, '--with-atime'], { env: { TZ: 'UTC' } });
  const [snapshot] = await Array.fromAsync(repository.snapshots());
  await using backup = await readBackup(repository, snapshot!.id);
  const found = await walk(backup, backup.rootTree);
  const folders = [...found].filter(([, node]) => node.subtree !== undefined);
  assert(folders.length > 4);
  for (const [path, { subtree }] of folders) {
    const bytes = Buffer.from(await backup.encodedTree(subtree!));
    assert.equal(Buffer.from(encodeNodes(decodeNodes(bytes)).bytes).toString(), bytes.toString(), path);
  }
  const onDisk = await readdir(join(source, 'names'), { encoding: 'buffer' });
  const names = await backup.tree(found.get(`${source}/names`)!.subtree!);
  assert.deepEqual(
    names.map((node) => node.name),
    onDisk.sort(Buffer.compare).map(decodeName),
  );
});

test('restic reads odd names of ours as they are', async (t) => {
  const { store, repository, restic } = await newPlace(t);
  const { id } = await writeBackup(repository, async (sink) => {
    const content = await sink.content(Buffer.from('x'));
    return oddNames.map((bytes) => fileNode(decodeName(bytes), content));
  });
  await restic(['check']);
  const target = await tempFolder(t);
  await restic(['restore', id, '--target', target]);
  const restored = await readdir(target, { encoding: 'buffer' });
  assert.deepEqual(
    restored.map((name) => name.toString('hex')).sort(),
    oddNames.map((name) => name.toString('hex')).sort(),
  );
  await using backup = await readBackup(await reopen(store), id);
  const names = (await backup.tree(backup.rootTree)).map((node) => node.name);
  assert.deepEqual(names, [...names].sort(compareNames));
});

test('a folder of 100,000 files', async (t) => {
  const { store, repository, restic } = await newPlace(t);
  const count = 100_000;
  const { id } = await writeBackup(repository, async (sink) => {
    const content = await sink.content(Buffer.from('the same in each'));
    const nodes = Array.from({ length: count }, (_, at) =>
      fileNode(`file-${(at * 7919) % count}`, content, { inode: BigInt(at + 1) }),
    );
    return [folderNode('many', await sink.tree(nodes))];
  });
  await using backup = await readBackup(await reopen(store), id);
  const [many] = await backup.tree(backup.rootTree);
  const nodes = await backup.tree(many!.subtree!);
  assert.equal(nodes.length, count);
  assert.equal(new Set(nodes.map((node) => node.name)).size, count);
  assert.equal((await restic(['ls', id])).stdout.match(/^\/many\/file-/gm)?.length, count);
});

/** Files of every kind; needs root for the device node. */
async function oddFolder(folder: string): Promise<string> {
  for (const name of ['names', 'kinds', 'times', 'nothing']) await mkdir(join(folder, name));
  for (const name of oddNames) await writeFile(Buffer.concat([Buffer.from(`${folder}/names/`), name]), name);
  const kinds = join(folder, 'kinds');
  await writeFile(join(kinds, 'empty'), '');
  await link(join(kinds, 'empty'), join(kinds, 'hard link'));
  await symlink('../names/<&>', join(kinds, 'link'));
  await runOk('mkfifo', [join(kinds, 'fifo')]);
  await runOk('mknod', [join(kinds, 'null'), 'c', '1', '3']);
  await runOk('mknod', [join(kinds, 'loop'), 'b', '7', '0']);
  for (const mode of [0, 0o4755, 0o2711, 0o1777, 0o644]) {
    await writeFile(join(kinds, `mode ${mode.toString(8)}`), 'x');
    await chmod(join(kinds, `mode ${mode.toString(8)}`), mode);
  }
  await chmod(join(folder, 'nothing'), 0o3777);
  await runOk('setfattr', ['-n', 'user.tidemark', '-v', '0x00ff22', join(kinds, 'empty')]);
  await runOk('setfattr', ['-n', 'user.blank', join(kinds, 'mode 644')]);
  for (const seconds of [-1.5, 0, 1.000001, 4_000_000_000]) {
    await writeFile(join(folder, 'times', `${seconds}`), '');
    await utimes(join(folder, 'times', `${seconds}`), seconds, seconds);
  }
  return folder;
}

function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner)]));
}
