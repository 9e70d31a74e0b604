import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import { idOf } from '../../../core/repository/format/blob-id.ts';
import { BlobOpener } from '../../../core/repository/format/blob-opener.ts';
import { compress } from '../../../core/repository/format/compression.ts';
import { nativeHashPairs, oneByOne } from '../../../core/repository/format/hash-pairs.ts';
import { newKeyMaterial, Sealer } from '../../../core/repository/format/sealer.ts';
import { randomBytes } from './light-kit.ts';

const kinds = { 'two at a time': nativeHashPairs() ?? oneByOne, 'one by one': oneByOne };
const sealer = new Sealer(newKeyMaterial());

function lengthsOf(seed: string, count: number): number[] {
  const numbers = randomBytes(seed, 4 * count);
  return Array.from({ length: count }, (_, at) => numbers.readUInt32LE(4 * at) % 8 ** (1 + (at % 7)));
}

for (const [kind, hashes] of Object.entries(kinds)) {
  test(`hashes ${kind}: of any lengths, wherever they lie, each is told once and right`, () => {
    const memory = new Uint8Array(new SharedArrayBuffer(2 ** 21 + 64));
    memory.set(randomBytes('memory', memory.length));
    const told: string[] = [];
    const lengths = [...lengthsOf('lengths', 2_000), ...Array.from({ length: 300 }, (_, length) => length)];
    for (const [at, length] of lengths.entries()) {
      hashes.add(memory.subarray(at % 61, (at % 61) + length), (id) => {
        told[at] = (told[at] ?? '') + Buffer.from(id).toString('hex');
      });
    }
    hashes.end();
    for (const [at, length] of lengths.entries()) {
      const bytes = memory.subarray(at % 61, (at % 61) + length);
      assert.equal(told[at], crypto.hash('sha256', bytes), `${length} bytes at ${at % 61}`);
    }
  });

  test(`hashes ${kind}: what is forgotten is never told, and spoils nothing behind it`, () => {
    hashes.add(randomBytes('forgotten', 5_000), () => {});
    hashes.drop();
    const told: string[] = [];
    for (const text of ['one', 'two', 'three'])
      hashes.add(Buffer.from(text), (id) => told.push(Buffer.from(id).toString('hex')));
    hashes.end();
    assert.deepEqual(told.toSorted(), ['one', 'two', 'three'].map((text) => crypto.hash('sha256', text)).toSorted());
  });

  test(`blobs opened ${kind}: what is whole is told with its bytes, what is not with none`, () => {
    const opener = new BlobOpener(sealer, hashes);
    const blobs = lengthsOf('blobs', 300).map((length, at) => blobOf(length, at));
    const told: (boolean | undefined)[] = [];
    const long = randomBytes('long', 3_000_001);
    let longId = '';
    opener.all(() => {
      opener.hash(long, (id) => {
        longId = Buffer.from(id).toString('hex');
      });
      for (const [at, { id, plainBytes, sealed, plain }] of blobs.entries()) {
        const passing = Buffer.from(sealed);
        opener.open({ id, plainBytes }, passing, (bytes) => {
          assert.equal(told[at], undefined, 'told twice');
          told[at] = bytes === undefined ? false : plain.equals(bytes);
        });
        passing.fill(0);
      }
    });
    assert.deepEqual(
      told,
      blobs.map(({ isWhole }) => isWhole),
    );
    assert.equal(longId, crypto.hash('sha256', long));
  });

  test(`blobs opened ${kind}: after a failure halfway nothing of it comes later`, () => {
    const opener = new BlobOpener(sealer, hashes);
    const [large, small] = [blobOf(900_000, 0), blobOf(10_000, 1)];
    const told: string[] = [];
    const fail = () =>
      opener.all(() => {
        opener.open(large, large.sealed, () => told.push('large'));
        opener.open(small, small.sealed, () => {
          throw new Error('the target is full');
        });
        opener.open(small, small.sealed, () => told.push('behind'));
      });
    assert.throws(fail, /the target is full/);
    const before = told.length;
    opener.all(() =>
      opener.open(small, small.sealed, (bytes) => told.push(String(bytes && small.plain.equals(bytes)))),
    );
    assert.deepEqual(told.slice(before), ['true']);
    assert(!told.includes('behind'));
  });
}

/** Every third is compressed, and of every ten three are damaged: in a byte, by another's id, by another length. */
function blobOf(length: number, at: number) {
  const plain = at % 3 === 0 ? Buffer.alloc(length, `text ${at}, `) : randomBytes(`blob ${at}`, length);
  const payload = at % 3 === 0 ? Buffer.from(compress(plain)) : plain;
  const sealed = sealer.seal(payload);
  const wrong = at % 10 < 3 && at >= 10 ? at % 10 : undefined;
  if (wrong === 0) sealed[sealed.length >> 1]! ^= 1;
  const id = wrong === 1 ? idOf(Buffer.from('another')) : idOf(plain);
  const plainBytes = at % 3 === 0 ? plain.length + (wrong === 2 ? 1 : 0) : undefined;
  const isWhole = wrong === undefined || (wrong === 2 && plainBytes === undefined);
  return { id, plainBytes, sealed, plain, isWhole };
}
