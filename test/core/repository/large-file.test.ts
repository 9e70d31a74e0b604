import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Content, FilePart } from '../../../core/driver/index.ts';
import { tempFolder } from '../../kit/temp.ts';
import { fileNode, joinContents, newPlace, readBackup, readContent, reopen, writeBackup } from './repository-kit.ts';
import { moduleUrl, type Result, type Task } from './work-thread.ts';

const sizeBytes = 5_000_000_000;
const partBytes = 128 * 1024 * 1024;
/** The parts at both ends and on both sides of where 32 bits end are read: all others are the same zeros, and 40 s of CPU. */
const partsIn4GiB = 2 ** 32 / partBytes;

test('a sparse file of 5 GB is stored in parts, of which each has its place', { timeout: 200_000 }, async (t) => {
  const { repository, store, restic } = await newPlace(t);
  const path = join(await tempFolder(t), 'sparse');
  await writeFile(path, 'start');
  await truncate(path, sizeBytes - 3);
  await writeFile(path, 'end', { flag: 'a' });
  const { id, addedBytes } = await writeBackup(repository, async (sink) => {
    await using threads = await sink.threads<object, Task, Result>(moduleUrl, {});
    const count = Math.ceil(sizeBytes / partBytes);
    const read = new Map<number, Content>();
    const readPart = async (part: number) => {
      const [start, end] = [part * partBytes, Math.min(sizeBytes, (part + 1) * partBytes)];
      read.set(part, (await threads.run({ kind: 'part', path, start, end, sizeBytes })) as Content);
    };
    await Promise.all([0, 1, partsIn4GiB - 1, partsIn4GiB, count - 1].map(readPart));
    for (const part of [partsIn4GiB - 1, partsIn4GiB]) {
      const { start, end, ...same } = read.get(1) as FilePart;
      const movedBytes = (part - 1) * partBytes;
      assert.deepEqual(read.get(part), { ...same, start: start + movedBytes, end: end + movedBytes });
    }
    const parts = Array.from({ length: count }, (_, part) => read.get(part) ?? read.get(1)!);
    return [fileNode('sparse', joinContents(parts))];
  });
  assert(addedBytes < 1_000_000, `${addedBytes} bytes were stored`);
  assert.match((await restic(['ls', '--long', id])).stdout, new RegExp(` ${sizeBytes} .* /sparse$`, 'm'));
  await using backup = await readBackup(await reopen(store), id);
  const { blobs, sizeBytes: stored } = (await backup.tree(backup.rootTree))[0]!.content!;
  assert.equal(stored, sizeBytes);
  const ids = Array.from({ length: blobs.length / 32 }, (_, at) =>
    Buffer.from(blobs.subarray(at * 32, at * 32 + 32)).toString('hex'),
  );
  const bodies = new Map<string, Buffer>();
  for (const one of new Set(ids))
    bodies.set(one, await readContent(backup, { blobs: Buffer.from(one, 'hex'), sizeBytes: 0 }));
  const sizes = ids.map((one) => bodies.get(one)!.length);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    sizeBytes,
  );
  const [first, last] = [bodies.get(ids[0]!)!, bodies.get(ids.at(-1)!)!];
  assert.equal(first.toString('latin1', 0, 5) + last.toString('latin1', last.length - 3), 'startend');
  for (const inner of new Set(ids.slice(1, -1))) assert(bodies.get(inner)!.every((byte) => byte === 0));
});
