import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { RowCutter } from '../../../../drivers/mysql/rows/row-cutter.ts';
import { RowsToTsv } from '../../../../drivers/mysql/rows/row-to-tsv.ts';

type Value = Buffer | null;

test('rows come out as LOAD DATA reads them, however the packets are cut', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomOf(seed);
    const columns = 1 + Math.floor(random() * 6);
    const escaped = Array.from({ length: columns }, () => random() < 0.7);
    const rows = Array.from({ length: Math.floor(random() * 30) }, () =>
      escaped.map((one) => randomValue(random, one)),
    );
    const found = convert(rows, escaped, () => 1 + Math.floor(random() * 400));
    assert.ok(found.lines.equals(expectedLines(rows)), `seed ${seed}`);
    assert.equal(found.rows, rows.length);
  }
});

test('values of more than one packet', () => {
  for (const sizeBytes of [0xffffff - 5, 0xffffff - 4, 2 * 0xffffff]) {
    const rows: Value[][] = [[Buffer.from('1')], [Buffer.alloc(sizeBytes, '0123456789abcdef\t')], [Buffer.from('2')]];
    const found = convert(rows, [true], () => 1_000_000);
    assert.ok(found.lines.equals(expectedLines(rows)), `${sizeBytes}`);
    assert.ok(found.blobs.every((blob) => blob.length <= 8 * 1024 * 1024));
  }
});

test('a row that looks like an end or an error is a row', () => {
  const rows: Value[][] = [
    [Buffer.alloc(300, 'x'), null],
    [Buffer.alloc(70_000, 'y'), Buffer.from('')],
    [null, null],
  ];
  assert.ok(convert(rows, [true, true], () => 100).lines.equals(expectedLines(rows)));
});

test('an error in the middle of the rows is thrown, not the end of them', () => {
  const cutter = new RowCutter((blob) => ({ blobs: new Uint8Array(32), sizeBytes: blob.length }));
  const converter = new RowsToTsv([true], cutter);
  const error = Buffer.concat([Buffer.of(0xff, 0x25, 0x05), Buffer.from('#70100killed')]);
  const answer = Buffer.concat([head(1), packet(rowBody([Buffer.from('x')])), packet(error)]);
  assert.throws(() => converter.take(answer), { errno: 1317, message: 'killed' });
});

test('an inserted row changes one blob, an appended one the last', () => {
  const rows = Array.from({ length: 120_000 }, (_, at): Value[] => [Buffer.from(String(at)), Buffer.from(textOf(at))]);
  const digests = (all: Value[][]) => convert(all, [false, true], () => 60_000).blobs.map((one) => sha256(one));
  const before = digests(rows);
  const after = digests([...rows.slice(0, 50_000), [Buffer.from('49999b'), Buffer.from('new')], ...rows.slice(50_000)]);
  assert.ok(before.length >= 8, `${before.length} blobs`);
  const known = new Set(before);
  assert.ok(after.filter((one) => !known.has(one)).length <= 2);
  assert.deepEqual(digests([...rows, rows[0]!]).slice(0, -1), before.slice(0, -1));
});

function convert(rows: readonly Value[][], escaped: readonly boolean[], nextBytes: () => number) {
  const blobs: Buffer[] = [];
  const cutter = new RowCutter((blob) => {
    blobs.push(Buffer.from(blob));
    return { blobs: new Uint8Array(32), sizeBytes: blob.length };
  });
  const converter = new RowsToTsv(escaped, cutter);
  const answer = Buffer.concat([head(escaped.length), ...rows.map((row) => packet(rowBody(row))), end]);
  let ended = false;
  for (let at = 0; at < answer.length; ) {
    const to = Math.min(answer.length, at + nextBytes());
    ended = converter.take(answer.subarray(at, to));
    assert.equal(ended, to === answer.length);
    at = to;
  }
  const lines = Buffer.concat(blobs);
  assert.equal(cutter.content().sizeBytes, lines.length);
  return { lines, blobs, rows: converter.rows };
}

const end = packet(Buffer.of(0xfe, 0, 0, 2, 0));

/** The packets before the rows: number of columns, a definition per column (here: anything), the end of them. */
function head(columns: number): Buffer {
  const definitions = Array.from({ length: columns }, () => packet(Buffer.from('\x03def\0\0\0\x01c')));
  return Buffer.concat([packet(Buffer.of(columns)), ...definitions, end]);
}

function packet(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at <= body.length; at += 0xffffff) {
    const part = body.subarray(at, at + 0xffffff);
    parts.push(Buffer.of(part.length & 255, (part.length >> 8) & 255, part.length >> 16, 0), part);
  }
  return Buffer.concat(parts);
}

function rowBody(row: readonly Value[]): Buffer {
  return Buffer.concat(row.flatMap((value) => (value === null ? [Buffer.of(0xfb)] : [lengthOf(value.length), value])));
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 251) return Buffer.of(bytes);
  if (bytes < 65536) return Buffer.of(0xfc, bytes & 255, bytes >> 8);
  if (bytes < 2 ** 24) return Buffer.of(0xfd, bytes & 255, (bytes >> 8) & 255, bytes >> 16);
  const eight = Buffer.alloc(9, 0xfe);
  eight.writeBigUInt64LE(BigInt(bytes), 1);
  return eight;
}

function expectedLines(rows: readonly Value[][]): Buffer {
  const text = (value: Value) =>
    value === null
      ? '\\N'
      : value
          .toString('latin1')
          .replaceAll('\\', '\\\\')
          .replaceAll('\t', '\\t')
          .replaceAll('\n', '\\n')
          .replaceAll('\0', '\\0');
  return Buffer.from(rows.map((row) => `${row.map(text).join('\t')}\n`).join(''), 'latin1');
}

function randomValue(random: () => number, mayEscape: boolean): Value {
  const shape = random();
  if (shape < 0.1) return null;
  const length =
    shape < 0.5 ? random() * 12 : shape < 0.9 ? random() * 200 : shape < 0.99 ? 240 + random() * 500 : 66_000;
  const special = random() < 0.5;
  const bytes = Array.from({ length: Math.floor(length) }, () => {
    if (!mayEscape) return 0x30 + Math.floor(random() * 10);
    return special ? Math.floor(random() * 256) : 0x61 + Math.floor(random() * 26);
  });
  return Buffer.from(bytes);
}

function textOf(at: number): string {
  return sha256(Buffer.from(String(at))) + String(at % 7).repeat(at % 40);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
