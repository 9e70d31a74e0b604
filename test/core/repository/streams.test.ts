import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Content } from '../../../core/driver/index.ts';
import { idOf, toHex } from '../../../core/repository/format/blob-id.ts';
import { maxBytes, minBytes, nextCut } from '../../../core/repository/format/chunker.ts';
import { contentWriter, FilePartReader, type StoreBlob } from '../../../core/repository/threads/content-writer.ts';
import { tempFolder } from '../../kit/temp.ts';
import { coded, joinContents, randomBytes } from './repository-kit.ts';

const mib = 1024 * 1024;

test('chunks are between the limits, about 1 MiB on average, and the same each time', () => {
  const bytes = randomBytes('chunks', 64 * mib);
  const cuts = cutsOf(bytes);
  const sizes = cuts.map((cut, at) => cut - (cuts[at - 1] ?? 0));
  for (const size of sizes.slice(0, -1)) assert(size > minBytes && size <= maxBytes, `${size}`);
  assert(sizes.length > 40 && sizes.length < 90, `${sizes.length} chunks`);
  assert.deepEqual(cutsOf(Buffer.from(bytes)), cuts);
});

test('without a cut in the content, chunks are of the largest size', () => {
  assert.deepEqual(cutsOf(Buffer.alloc(20 * mib)), [8 * mib, 16 * mib, 20 * mib]);
});

test('after an insertion or a deletion the cuts are soon the same again', () => {
  const bytes = randomBytes('edits', 32 * mib);
  const before = cutsOf(bytes);
  for (const [at, removed, inserted] of [
    [0, 0, 1],
    [3 * mib + 17, 0, 1000],
    [10 * mib, 70_000, 0],
    [5, 1, 1],
  ] as const) {
    const edited = Buffer.concat([bytes.subarray(0, at), randomBytes('new', inserted), bytes.subarray(at + removed)]);
    const after = new Set(cutsOf(edited).map((cut) => cut - inserted + removed));
    const kept = before.filter((cut) => after.has(cut)).length;
    const lost = before.filter((cut) => cut > at).length - before.filter((cut) => cut > at && after.has(cut)).length;
    assert(lost <= 4, `edit at ${at}: ${lost} of ${before.length} cuts lost, ${kept} kept`);
  }
});

test('a writer cuts the same however the bytes come in', () => {
  const bytes = randomBytes('pieces', 24 * mib + 5);
  const whole = written({ by: 'content' }, [bytes]);
  for (const size of [1000, 64 * 1024, 777_777, 9 * mib])
    assert.deepEqual(written({ by: 'content' }, split(bytes, size)).ids, whole.ids, `${size}`);
  assert(whole.bytes.equals(bytes));
});

test('fixed blocks are aligned and only the last is shorter; manual cuts are where they were asked for', () => {
  const bytes = randomBytes('fixed', 300_000);
  const fixed = written({ by: 'fixed', sizeBytes: 65_536 }, split(bytes, 1234));
  assert.deepEqual(fixed.sizes, [65_536, 65_536, 65_536, 65_536, 37_856]);
  assert(fixed.bytes.equals(bytes));
  const blobs: number[] = [];
  const writer = contentWriter({ by: 'manual' }, (blob) => {
    blobs.push(blob.length);
    return idOf(blob);
  });
  writer.cut();
  writer.write(bytes);
  writer.write(bytes.subarray(0, 10));
  writer.cut();
  writer.cut();
  writer.write(Buffer.alloc(maxBytes + 1));
  const content = writer.end();
  assert.deepEqual(blobs, [300_010, maxBytes, 1]);
  assert.deepEqual([content.blobs.length, content.sizeBytes], [96, 300_011 + maxBytes]);
});

test('parts of a file, in order, are the file, wherever their edges are', async (t) => {
  const folder = await tempFolder(t);
  const random = randomBytes('parts', 20 * mib + 12_345);
  const kinds: Record<string, Buffer> = {
    none: Buffer.alloc(0),
    one: Buffer.from('x'),
    small: random.subarray(0, minBytes),
    random,
    zeros: Buffer.alloc(17 * mib + 1),
    both: Buffer.concat([random.subarray(0, 3 * mib), Buffer.alloc(18 * mib), random.subarray(0, 3 * mib)]),
  };
  for (const [name, bytes] of Object.entries(kinds)) {
    const path = join(folder, name);
    await writeFile(path, bytes);
    const cuts = cutsOf(bytes);
    const edges = [
      [],
      [mib],
      [8 * mib, 16 * mib, 24 * mib],
      [cuts[2] ?? 1],
      [(cuts[2] ?? 2) - 1],
      [(cuts[2] ?? 0) + 1],
      ...(cuts[3] && cuts[3] < bytes.length
        ? [
            [cuts[3] - mib, cuts[3] - 10],
            [cuts[3] - mib - 1, cuts[3] - 1],
          ]
        : []),
      everyMib(bytes.length),
    ];
    for (const inner of edges) {
      const { bytes: joined, content } = storeParts(path, bytes.length, inner);
      assert(joined.equals(bytes), `${name} cut at ${inner}`);
      assert.equal(content.sizeBytes, bytes.length);
    }
    assert(storeParts(path, bytes.length, []).content.blobs.length <= 32 * Math.max(1, cuts.length));
  }
});

test('an insertion changes few blobs of a file that is stored in parts', async (t) => {
  const path = join(await tempFolder(t), 'file');
  const bytes = randomBytes('insertion', 48 * mib);
  await writeFile(path, bytes);
  const before = new Set(storeParts(path, bytes.length, everyMib(bytes.length, 16)).ids);
  const edited = Buffer.concat([bytes.subarray(0, 20 * mib), Buffer.from('something new'), bytes.subarray(20 * mib)]);
  await writeFile(path, edited);
  const after = storeParts(path, edited.length, everyMib(edited.length, 16));
  const fresh = after.ids.filter((id) => !before.has(id)).length;
  assert(fresh <= 10, `${fresh} of ${after.ids.length} blobs are new`);
});

test('a file that became shorter is said to have changed', async (t: TestContext) => {
  const path = join(await tempFolder(t), 'file');
  await writeFile(path, Buffer.alloc(1000));
  assert.throws(() => storeParts(path, 1001, []), coded('SOURCE_CHANGED'));
  assert.throws(() => storeParts(path, 20 * mib, [10 * mib]), coded('SOURCE_CHANGED'));
});

function cutsOf(bytes: Buffer): number[] {
  const cuts: number[] = [];
  for (let at = 0; at < bytes.length; cuts.push(at)) at = nextCut(bytes, at, bytes.length);
  return cuts;
}

function everyMib(sizeBytes: number, step = 1): number[] {
  return Array.from({ length: Math.ceil(sizeBytes / mib / step) - 1 }, (_, at) => (at + 1) * step * mib);
}

function split(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

/** Remembers what was stored. */
function collector() {
  const blobs: Buffer[] = [];
  const store: StoreBlob = (bytes) => {
    blobs.push(Buffer.from(bytes));
    return idOf(bytes);
  };
  return { store, blobs };
}

function written(chunking: Parameters<typeof contentWriter>[0], pieces: Buffer[]) {
  const { store, blobs } = collector();
  const writer = contentWriter(chunking, store);
  for (const piece of pieces) writer.write(piece);
  const content = writer.end();
  assert.equal(toHex(content.blobs), blobs.map((blob) => toHex(idOf(blob))).join(''));
  return {
    ids: blobs.map((blob) => toHex(idOf(blob))),
    sizes: blobs.map((blob) => blob.length),
    bytes: Buffer.concat(blobs),
  };
}

function storeParts(path: string, sizeBytes: number, inner: number[]) {
  const { store, blobs } = collector();
  const reader = new FilePartReader(store);
  const descriptor = openSync(path, 'r');
  try {
    const edges = [0, ...inner, sizeBytes];
    const parts: Content[] = edges
      .slice(1)
      .map((end, at) => reader.store(descriptor, { start: edges[at]!, end }, sizeBytes));
    for (const blob of blobs) assert(blob.length > 0 && blob.length <= maxBytes);
    return { bytes: Buffer.concat(blobs), content: joinContents(parts), ids: blobs.map((blob) => toHex(idOf(blob))) };
  } finally {
    closeSync(descriptor);
  }
}
