import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { filesIn, twoFiles, work } from './check/check-kit.ts';
import { coded, newPlace, noSignal, readBackup, readContent, reopen, walk } from './repository-kit.ts';

test('packs in a wrong folder are not there: a backup relies on none, and no prune frees space', async (t) => {
  const place = await newPlace(t);
  await twoFiles(place, 'same');
  await mkdir(join(place.folder, 'data', 'misplaced'));
  for (const pack of await filesIn(place.folder, 'data'))
    await rename(pack, join(place.folder, 'data', 'misplaced', basename(pack)));
  const repository = await reopen(place.store);
  const id = await twoFiles({ repository }, 'same');
  await using backup = await readBackup(await reopen(place.store), id);
  const nodes = await walk(backup, (await repository.snapshot(id)).tree);
  const contents = [...nodes.values()].flatMap(({ content }) => content ?? []);
  for (const content of contents) await readContent(backup, content);
  assert.equal(contents.length, 2);
  for (const pack of await filesIn(place.folder, 'data'))
    if (!pack.includes('misplaced')) await rename(pack, join(place.folder, 'data', 'misplaced', `${basename(pack)}`));
  await using lock = await repository.lock('shared', noSignal, 'prune');
  const options = { maxUnused: { percent: 5 }, graceMs: 0, now: false, forgetting: [] };
  await assert.rejects(repository.planPrune(lock, options, work), coded('REPOSITORY_CORRUPT'));
});
