import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '../../../core/repository/format/blob-id.ts';
import { encodeHeader } from '../../../core/repository/format/pack.ts';
import { newKeyMaterial, Sealer } from '../../../core/repository/format/sealer.ts';
import { contentOf } from '../../../core/repository/index-content.ts';
import { checkedIndex, readIndexDocument } from '../../../core/repository/index-document.ts';
import { loadIndex, writeIndex } from '../../../core/repository/index-files.ts';
import { type IndexContent, scanIndex } from '../../../core/repository/index-scan.ts';
import { SealedObjects } from '../../../core/repository/objects.ts';
import { restic } from '../../kit/restic.ts';
import { tempFolder } from '../../kit/temp.ts';
import { seededRandom } from '../../others/random.ts';
import { coded, localStore, randomBytes } from './repository-kit.ts';

/** What is scanned must be what JSON says: an index that lacks a blob, or has it elsewhere, loses it quietly. */
test('index files of restic are scanned, and say what their JSON says', async (t) => {
  const [folder, source] = [await tempFolder(t), await tempFolder(t)];
  for (let at = 0; at < 20; at++) {
    await mkdir(join(source, `${at}`));
    await writeFile(join(source, `${at}`, 'file'), randomBytes(`${at}`, at * 5000));
  }
  const run = await restic(t, folder, 'secret');
  await run(['init']);
  await run(['backup', source]);
  const [id] = await readdir(join(folder, 'index'));
  const { stdoutBytes } = await run(['cat', 'index', id!]);
  assert.deepEqual(plain(scanIndex(stdoutBytes)!), plain(parsed(stdoutBytes)));
  assert(plain(scanIndex(stdoutBytes)!).packs.length > 1);
});

test('index files of ours are scanned, and say what their JSON says', async (t) => {
  const objects = new SealedObjects(await localStore(await tempFolder(t)), new Sealer(newKeyMaterial()));
  const blobs = Array.from({ length: 3000 }, (_, at) => ({
    type: at % 3 === 0 ? ('tree' as const) : ('data' as const),
    id: randomBytes(`blob ${at}`, 32),
    offset: 0,
    length: at === 7 ? 2 ** 32 - 5000 : 1,
    plainBytes: [undefined, 2 ** 32 - 1, 1][at % 3],
  }));
  const packs = [0, 1000, 1001].map((start) => ({
    id: randomBytes(`pack ${start}`, 32),
    header: encodeHeader(blobs.slice(start, start * 2 || 5)),
  }));
  for (const holder of [undefined, 'a-holder']) {
    await writeIndex(objects, packs, new AbortController().signal, holder);
    for await (const id of objects.list('index')) {
      const text = objects.openText('index', await objects.getSealed('index', id));
      assert.deepEqual(plain(scanIndex(text)!), plain(parsed(text)));
      await objects.delete('index', [id]);
    }
  }
});

test('an index file whose JSON breaks off is named, and none of it counts', async (t) => {
  const objects = new SealedObjects(await localStore(await tempFolder(t)), new Sealer(newKeyMaterial()));
  const text = JSON.stringify(document);
  const broken = await objects.putText('index', Buffer.from(text.slice(0, -30)));
  await assert.rejects(loadIndex(objects), coded('REPOSITORY_CORRUPT', new RegExp(`index/${broken} is damaged`)));
  const damaged: string[] = [];
  const index = await loadIndex(objects, undefined, { onDamaged: ({ message }) => damaged.push(message) });
  assert.deepEqual([index.count, index.packCount, damaged], [0, 0, [`index/${broken} is damaged`]]);
  await objects.putText('index', Buffer.from(JSON.stringify(document, null, 2)));
  await objects.putText('index', Buffer.from(text));
  assert.equal((await loadIndex(objects, undefined, { onDamaged() {} })).count, 3);
});

const [id, other] = ['id', 'other'].map((seed) => toHex(randomBytes(seed, 32))) as [string, string];
const blob = { id, type: 'data', offset: 0, length: 4_294_967_295, uncompressed_length: 70 };
const document = {
  packs: [
    { id: other, blobs: [blob, { ...blob, type: 'tree', offset: 10, uncompressed_length: undefined }] },
    { id, blobs: [] },
    { id, blobs: [{ ...blob, id: other, uncompressed_length: 0 }] },
  ],
  holder: 'db1:40 02',
};

/** Written otherwise, or saying what nobody of us writes: JSON is asked what it says, and whether it is any. */
test('what is written otherwise is not scanned', () => {
  const text = JSON.stringify(document);
  const otherwise = [
    '',
    'null',
    '{}',
    '{"packs":null}',
    text.slice(0, -1),
    `${text}}`,
    `${text} `,
    ` ${text}`,
    `\ufeff${text}`,
    JSON.stringify(document, null, 1),
    JSON.stringify({ supersedes: [id], ...document }),
    JSON.stringify({ holder: 'first', packs: document.packs }),
    JSON.stringify({ ...document, more: 1 }),
    text.replace('"offset":0', '"offset":00'),
    text.replace('"offset":0', '"offset":-1'),
    text.replace('"offset":0', '"offset":0.5'),
    text.replace('"offset":0', '"offset":1e3'),
    text.replace('"offset":0', '"offset":'),
    text.replace('"offset":0', '"offset":4294967296'),
    text.replace('"offset":0', '"offset":"0"'),
    text.replace('"offset":0', '"more":0,"offset":0'),
    text.replace('"offset":0,"length":4294967295', '"length":4294967295,"offset":0'),
    text.replace('"type":"data"', '"type":"link"'),
    text.replace(id, id.toUpperCase()),
    text.replace(id, id.slice(1)),
    text.replace(id, `${id.slice(1)}é`),
    text.replace('db1', 'db\\u0031'),
    text.replace('db1', 'dbé'),
    text.replace('"blobs":[]', '"blobs":null'),
    text.replace('},{', '},,{'),
    text.replace('},{', '}{'),
    text.replace('}],', '},],'),
  ];
  for (const one of otherwise) assert.equal(scanIndex(Buffer.from(one)), undefined, one);
  for (const one of [text, `${text}\n`, '{"packs":[]}']) {
    assert.deepEqual(plain(scanIndex(Buffer.from(one))!), plain(parsed(Buffer.from(one))));
  }
});

test('what is no index is damage that names the file, in every way in', async (t) => {
  const objects = new SealedObjects(await localStore(await tempFolder(t)), new Sealer(newKeyMaterial()));
  const text = JSON.stringify(document);
  const none = [
    '[]',
    '"x"',
    'null',
    '7',
    '{"packs":3}',
    '{"packs":{}}',
    '{"packs":[null]}',
    '{"packs":[{"blobs":[]}]}',
    '{"packs":[],"holder":7}',
    text.replace('"blobs":[]', '"blobs":{}'),
    text.replace('"type":"data"', '"type":"link"'),
    text.replace('"type":"data",', ''),
    text.replace('"offset":0', '"offset":-1'),
    text.replace('"offset":0', '"offset":0.5'),
    text.replace('"offset":0', '"offset":4294967296'),
    text.replace('"offset":0,', ''),
    text.replace('"length":4294967295', '"length":"1"'),
    text.replace('"uncompressed_length":70', '"uncompressed_length":-70'),
    text.replaceAll(id, id.slice(1)),
    text.replaceAll(id, id.toUpperCase()),
  ];
  for (const one of none) {
    const name = await objects.putText('index', Buffer.from(one));
    const damage = coded('REPOSITORY_CORRUPT', new RegExp(`index/${name} is damaged`));
    await assert.rejects(loadIndex(objects), damage, one);
    await assert.rejects(readIndexDocument(objects, name), damage, one);
    await objects.delete('index', [name]);
  }
  for (const one of ['{}', '{"packs":null}', text.replace('"blobs":[]', '"blobs":null'), ` ${text}`]) {
    await objects.putText('index', Buffer.from(one));
  }
  assert.equal((await loadIndex(objects)).count, 3);
});

test('whatever is changed in an index file, what is scanned of it is what JSON says', () => {
  const random = seededRandom('index scan');
  const whole = Buffer.from(`${JSON.stringify(document)}\n`);
  let scanned = 0;
  for (let round = 0; round < 8_000; round++) {
    const text = changed(whole, random);
    const content = scanIndex(text);
    if (content === undefined) continue;
    scanned += 1;
    assert.deepEqual(plain(content), plain(parsed(text)), text.toString('latin1'));
  }
  assert(scanned > 300, `only ${scanned} of the texts were still as restic writes them`);
});

const signs = '0123456789abcdef{}[]",: \n\\-.eEtd'.split('');

/** One or two signs replaced, put in, taken out, or a piece of it doubled. */
function changed(whole: Buffer, random: ReturnType<typeof seededRandom>): Buffer {
  let text = whole;
  for (let change = 0; change <= random.below(2); change++) {
    const at = random.below(text.length);
    const length = [0, 1, 1, random.below(120)][random.below(4)]!;
    const piece = random.below(4) === 0 ? text.subarray(at, at + random.below(120)) : Buffer.from(random.pick(signs));
    text = Buffer.concat([text.subarray(0, at), piece, text.subarray(at + length)]);
  }
  return text;
}

function parsed(text: Buffer): IndexContent {
  return contentOf(checkedIndex(JSON.parse(text.toString('utf8')), id));
}

function plain(content: IndexContent) {
  const packs = Array.from(content.packs(), ({ id, blobs }) => ({
    id: toHex(id),
    blobs: Array.from(blobs, (entry) => ({ ...entry, id: toHex(entry.id) })),
  }));
  return { holder: content.holder, packs };
}
