import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../../core/repository/format/blob-id.ts';
import { decodeHeader, type FinishedPack, openBlob, PackBuilder } from '../../../core/repository/format/pack.ts';
import { newKeyMaterial, Sealer } from '../../../core/repository/format/sealer.ts';
import { PackBuffers } from '../../../core/repository/threads/pack-buffers.ts';
import { randomBytes } from './repository-kit.ts';

const sealer = new Sealer(newKeyMaterial());

test('a pack lies in the memory that is given, and in memory of its own where that is too small', () => {
  for (const givenBytes of [0, 1, 1000, 100_000, 10_000_000]) {
    const given = Buffer.from(new SharedArrayBuffer(givenBytes));
    const builder = new PackBuilder('data', sealer, () => given);
    const blobs = Array.from({ length: 40 }, (_, at) => randomBytes(`blob ${at}`, 1 + at * 1000));
    for (const blob of blobs) assert.equal(builder.add(idOf(blob), blob), undefined);
    const pack = builder.finish()!;
    assert.equal(pack.buffer === given.buffer, givenBytes === 10_000_000, `${givenBytes} bytes`);
    assertHolds(pack, blobs);
  }
});

test('memory that is full of an older pack leaves nothing of it in the next one', () => {
  const packs = PackBuffers.forThreads(1);
  for (const [round, count] of [200, 20, 1].entries()) {
    const taken = [packs.take()!, packs.take()!];
    assert.deepEqual(taken.map(({ number }) => number).sort(), [0, 1]);
    for (const { bytes } of taken) {
      const builder = new PackBuilder('data', sealer, () => bytes);
      const blobs = Array.from({ length: count }, (_, at) => randomBytes(`round ${round} ${at}`, 10_000));
      for (const blob of blobs) builder.add(idOf(blob), blob);
      assertHolds(builder.finish()!, blobs);
    }
    for (const { number } of taken) packs.giveBack(number);
  }
});

test('who waits for memory goes on without when the work has ended', () => {
  const packs = PackBuffers.forThreads(1);
  const inThread = new PackBuffers(packs.shared);
  assert(packs.take() && packs.take());
  packs.endWaiting();
  assert.equal(inThread.take(), undefined);
});

function assertHolds(pack: FinishedPack, blobs: readonly Buffer[]): void {
  const bytes = Buffer.from(pack.buffer, 0, pack.sizeBytes);
  assert.deepEqual(Buffer.from(pack.id), idOf(bytes));
  const headerBytes = bytes.readUInt32LE(bytes.length - 4);
  const header = sealer.open(bytes.subarray(bytes.length - 4 - headerBytes, bytes.length - 4));
  assert(header.equals(pack.header));
  const entries = decodeHeader(header);
  assert.equal(entries.length, blobs.length);
  for (const [at, { id, offset, length, plainBytes }] of entries.entries())
    assert(
      openBlob(sealer, { id, plainBytes, pack: pack.id }, bytes.subarray(offset, offset + length)).equals(blobs[at]!),
    );
}
