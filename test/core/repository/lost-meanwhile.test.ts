import assert from 'node:assert/strict';
import { appendFile, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  coded,
  fileNode,
  newPlace,
  randomBytes,
  readBackup,
  readContent,
  reopen,
  walk,
  writeBackup,
} from './repository-kit.ts';

const damages: Readonly<Record<string, (pack: string) => Promise<void>>> = {
  'is gone': (pack) => rm(pack),
  'is cut short': (pack) => truncate(pack, 3_000_000),
  'has grown': (pack) => appendFile(pack, 'more'),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a backup of which a pack ${what} before its end is none, and the next one is whole`, async (t) => {
    const { folder, store, repository } = await newPlace(t);
    const content = randomBytes('lost meanwhile', 24_000_000);
    const made = writeBackup(repository, async (sink) => {
      const file = fileNode('file', await sink.content(content));
      await damage(await fullPack(folder));
      return [file];
    });
    await assert.rejects(made, coded('REPOSITORY_CORRUPT', /just stored/));
    assert.deepEqual(await Array.fromAsync(store.list('snapshots/')), []);
    const again = await reopen(store);
    const { id } = await writeBackup(again, async (sink) => [fileNode('file', await sink.content(content))]);
    await using backup = await readBackup(await reopen(store), id);
    const file = (await walk(backup, backup.rootTree)).get('/file');
    assert.deepEqual(await readContent(backup, file!.content!), content);
  });
}

async function fullPack(folder: string): Promise<string> {
  for (const name of await readdir(join(folder, 'data'), { recursive: true })) {
    const path = join(folder, 'data', name);
    const info = await stat(path);
    if (info.isFile() && info.size > 10_000_000) return path;
  }
  throw new Error('no pack is full');
}
