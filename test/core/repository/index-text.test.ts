import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../../core/repository/format/blob-id.ts';
import { encodeHeader, type PackEntry } from '../../../core/repository/format/pack.ts';
import { newKeyMaterial, Sealer } from '../../../core/repository/format/sealer.ts';
import { writeIndex } from '../../../core/repository/index-files.ts';
import { SealedObjects } from '../../../core/repository/objects.ts';
import { tempFolder } from '../../kit/temp.ts';
import { localStore, randomBytes } from './repository-kit.ts';

/** An index file that lacks a blob would make the blob one that nobody finds, in a repository that looks whole. */
test('an index file names every blob of its packs, also with the largest numbers', async (t) => {
  const objects = new SealedObjects(await localStore(await tempFolder(t)), new Sealer(newKeyMaterial()));
  const { signal } = new AbortController();
  const packs = [3000, 1, 40].map((count, at) => pack(`pack ${at}`, count));
  await writeIndex(objects, packs, signal, 'a-holder');
  await writeIndex(objects, packs.slice(1), signal);

  const documents = await Array.fromAsync(objects.list('index'), (id) => objects.get('index', id));
  const byHolder = documents.sort((a, b) => JSON.stringify(b).length - JSON.stringify(a).length);
  const expected = packs.map(({ id, entries }) => ({ id: toHex(id), blobs: entries.map(stored) }));
  assert.deepEqual(byHolder, [{ packs: expected, holder: 'a-holder' }, { packs: expected.slice(1) }]);
});

/** Its last blob makes the offsets of a pack of 4 GiB. */
function pack(name: string, count: number) {
  const ids = randomBytes(name, (count + 1) * 32);
  const entries: PackEntry[] = [];
  for (let at = 0, offset = 0; at < count; at++) {
    const length = at === 0 ? 2 ** 32 - 4000 : 1;
    const plainBytes = at % 3 === 0 ? 2 ** 32 - 1 : undefined;
    entries.push({
      type: at % 2 === 0 ? 'data' : 'tree',
      id: ids.subarray(at * 32, at * 32 + 32),
      offset,
      length,
      plainBytes,
    });
    offset += length;
  }
  return { id: ids.subarray(count * 32), header: encodeHeader(entries), entries };
}

function stored({ id, type, offset, length, plainBytes }: PackEntry) {
  return { id: toHex(id), type, offset, length, ...(plainBytes !== undefined && { uncompressed_length: plainBytes }) };
}
