import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { hasCode } from '../../../../core/error.ts';
import { Secret } from '../../../../core/secret.ts';
import { local } from '../../../../drivers/files/index.ts';
import { badDisk } from '../../../kit/bad-disk.ts';
import { tempFolder } from '../../../kit/temp.ts';
import { filesFixture } from '../fixture.ts';
import { missingFrom, packPath, placesOf, placesOfBytes, randomBytes } from './damaged-repository.ts';

test('a bad sector costs what lies on it, and not the rest of the pack or the restore', async (t) => {
  const fixture = await filesFixture(t);
  const bytesOf = (n: number) => randomBytes(`sector ${n}`, 300_000);
  for (let n = 0; n < 12; n++) fs.writeFileSync(join(fixture.tree, `file ${n}`), bytesOf(n));
  await fixture.backUp();
  const all = await placesOf(fixture);
  const places = Array.from({ length: 12 }, (_, n) => placesOfBytes(all, bytesOf(n))[0]);
  const { pack } = places[0]!;
  const goodBytes = 500 * 4096;
  const repository = join(fixture.folder, 'repository');
  const path = await badDisk(t, repository, packPath(fixture, pack), goodBytes);
  const context = { subject: 'destinations.test', clock: systemClock, secret: async () => new Secret('unused') };
  const store = await local.open({ path }, context);
  const name = packPath(fixture, pack).slice(repository.length + 1);
  await assert.rejects(store.get(name), (error) => hasCode(error, 'REPOSITORY_CORRUPT'));

  const lost = places.flatMap((place, n) =>
    place.pack === pack && place.offset + place.length > goodBytes ? [`/file ${n}`] : [],
  );
  assert(lost.length > 0 && lost.length < 12);
  const into = await tempFolder(t);
  const { notRestored, partial } = await fixture.restore({ folder: into }, store);
  assert.deepEqual(missingFrom(join(into, fixture.tree), fixture.tree).sort(), lost.sort());
  assert.equal(partial, true);
  assert.deepEqual(
    notRestored.map(({ item, why }) => `${item}: ${why}`).sort(),
    lost.map((one) => `${fixture.tree}${one}: damaged`),
  );
  assert.match(notRestored[0]!.detail, new RegExp(`^blob [0-9a-f]{64} in pack ${pack} is damaged$`));
});
