import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { builtInCipher } from '../../../core/repository/format/cipher.ts';
import { compress, compressBuiltIn, decompress, decompressInto } from '../../../core/repository/format/compression.ts';
import { libzstd } from '../../../core/repository/format/libzstd.ts';
import { fromLibrary } from '../../../core/repository/format/native-library.ts';
import { openSsl } from '../../../core/repository/format/openssl.ts';
import { newKeyMaterial, Sealer } from '../../../core/repository/format/sealer.ts';

const lengths = [0, 1, 15, 16, 17, 31, 33, 4095, 4096, 16 * 1024, 16 * 1024 + 1, 100_003, 8 * 1024 * 1024];

test('what is sealed by OpenSSL opens by the built-in cipher, and the reverse', () => {
  const key = newKeyMaterial();
  const native = new Sealer(key, openSsl()!.cipher);
  const builtIn = new Sealer(key, builtInCipher);
  for (const length of lengths) {
    const plain = crypto.randomBytes(length);
    assert.deepEqual(builtIn.open(native.seal(plain)), plain);
    assert.deepEqual(native.open(builtIn.seal(plain)), plain);
  }
});

test('a flipped bit anywhere in a sealed object is seen by either cipher', () => {
  const key = newKeyMaterial();
  for (const cipher of [openSsl()!.cipher, builtInCipher]) {
    const sealer = new Sealer(key, cipher);
    const sealed = sealer.seal(Buffer.from('as long as it takes'));
    for (let at = 0; at < sealed.length; at++) {
      sealed[at]! ^= 4;
      assert.throws(() => sealer.open(sealed), { code: 'REPOSITORY_CORRUPT' });
      sealed[at]! ^= 4;
    }
    assert.equal(sealer.open(sealed).toString(), 'as long as it takes');
  }
});

test('the counter of a cipher text carries over all its bytes, in either cipher', () => {
  const key = newKeyMaterial();
  const iv = Buffer.alloc(16, 0xff);
  const plain = crypto.randomBytes(50_000);
  const expected = crypto.createCipheriv('aes-256-ctr', key.encrypt, iv).update(plain);
  for (const cipher of [openSsl()!.cipher(key), builtInCipher(key)]) {
    for (const length of [1, 40, 16_000, plain.length]) {
      const text = Buffer.alloc(length);
      cipher.crypt(plain.subarray(0, length), iv, text);
      assert.deepEqual(text, expected.subarray(0, length));
    }
  }
});

test('no cipher writes past the room that it is given', () => {
  const cipher = openSsl()!.cipher(newKeyMaterial());
  const iv = Buffer.alloc(16);
  assert.throws(() => cipher.crypt(Buffer.alloc(10), iv, Buffer.alloc(9)), { code: 'BUG' });
  assert.throws(() => cipher.authenticate(Buffer.alloc(10), iv, Buffer.alloc(15)), { code: 'BUG' });
});

test('what zstd called directly compresses Node’s functions decompress, and the reverse', () => {
  for (const length of lengths) {
    for (const plain of [crypto.randomBytes(length), Buffer.alloc(length, 'some text, ')]) {
      assert.deepEqual(decompress(compress(plain), plain.length), plain);
      const into = Buffer.alloc(plain.length);
      decompressInto(compressBuiltIn(plain), into);
      assert.deepEqual(into, plain);
    }
  }
});

/** The names of a second zstd would be found in Node's program first: one version would work on contexts of another. */
test('no zstd but Node’s own is loaded', () => {
  const libraries = () => new Set(fs.readFileSync('/proc/self/maps', 'utf8').match(/\S*libzstd\S*/g));
  const before = libraries();
  const frame = Buffer.from(libzstd()!.compress(Buffer.from('text'), 1)!);
  assert(libzstd()!.decompress(frame, Buffer.alloc(4)));
  assert.deepEqual(libraries(), before);
});

test('a frame that is cut, too long, too short or none does not decompress', () => {
  const plain = Buffer.alloc(10_000, 'some text, ');
  const frame = Buffer.from(compress(plain));
  for (const [damaged, length] of [
    [frame.subarray(0, -1), plain.length],
    [frame, plain.length - 1],
    [frame, plain.length + 1],
    [plain, plain.length],
    [Buffer.alloc(0), 10],
  ] as const) {
    assert.equal(libzstd()!.decompress(damaged, Buffer.alloc(length)), false);
    assert.throws(() => decompressInto(damaged, Buffer.alloc(length)), { code: 'REPOSITORY_CORRUPT' });
  }
});

test('a library or a function that is not there is done without', () => {
  assert.equal(
    fromLibrary('libnothing.so.1', () => true),
    undefined,
  );
  assert.equal(
    fromLibrary(null, (declare) => declare('int no_such_function()')),
    undefined,
  );
});
