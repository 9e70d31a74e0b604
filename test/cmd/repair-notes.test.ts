import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { pruneHome } from './prune-kit.ts';

const damagedMark = 'a'.repeat(64);

async function damageMark(repository: string): Promise<void> {
  await mkdir(join(repository, 'marks'), { recursive: true });
  await writeFile(join(repository, 'marks', damagedMark), 'nonsense');
}

test('a repair puts the pins that the catalog knows in the place of damaged ones, and clears damaged marks', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [old, , newest] = await at.backUp(3);
  assert.equal((await at.inside('pin', old!, '--reason', 'law')).code, 0);
  const [pin] = await filesIn(at.repository, 'pins');
  await flip(pin!);
  await damageMark(at.repository);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 10, 'nobody knows what the mark named');
  assert.equal((await at.inside('prune', '--auto-approve')).code, 10, 'nobody knows what the pin keeps');

  const dry = JSON.parse((await at.inside('repository', 'repair', 'disk', '--dry-run', '--json')).stdout);
  assert.deepEqual(mismatches(dry, outputs['repository repair'] as Shape), []);
  const { marks, pins, left } = dry.plan;
  assert.deepEqual(
    [marks, pins.putBack.map(({ backup }: { backup: string }) => backup), left],
    [[damagedMark], [old], []],
  );
  const repaired = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.equal(repaired.code, 0, repaired.stderr + repaired.stdout);
  assert.equal((await filesIn(at.repository, 'damaged')).length, 2);
  assert.match((await at.inside('repository', 'repair', 'disk')).stdout, /^nothing needs/);
  assert.equal((await at.inside('repository', 'check', 'disk')).code, 0);

  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual(await at.ids(), [newest, old], 'the others go, and what is pinned stays');

  await rm(join(at.folder, 'catalog.db'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  assert.deepEqual(
    backups.flatMap((one: { id: string; pin?: { reason: string } }) => (one.pin ? [[one.id, one.pin.reason]] : [])),
    [[old, 'law']],
    'another catalog finds it',
  );
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
});

test('a damaged pin that no pin of the catalog can be stays where it is: it may keep any backup', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [old, other] = await at.backUp(3);
  for (const id of [old!, other!]) assert.equal((await at.inside('pin', id)).code, 0);
  assert.equal(await at.catalog.retained.pin('disk', other!, undefined), true, 'as if another catalog had set it');
  for (const pin of await filesIn(at.repository, 'pins')) await flip(pin);
  await damageMark(at.repository);

  const repaired = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.equal(repaired.code, 4, repaired.stdout);
  assert.match(
    repaired.stdout + repaired.stderr,
    /left as it is: 1 pin cannot be read, and the catalog does not know whose/,
  );
  assert.deepEqual((await readdir(join(at.repository, 'damaged'))).sort(), ['marks', 'pins']);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0, 'the mark is cleared all the same');
  assert.equal((await at.inside('prune', '--auto-approve')).code, 10);
  assert.equal((await at.snapshots()).length, 4);

  for (const pin of await filesIn(at.repository, 'pins')) await flip(pin); // which makes the other whole again
  const again = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.equal(again.code, 0, 'the one that was put back is known by its new id');
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual((await at.ids()).slice(1).sort(), [old, other].sort());
});

test('a pin that another host took away is not taken for one that is damaged, and not set again', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 1 }' });
  const [gone, others, newest] = await at.backUp(3);
  assert.equal((await at.inside('pin', gone!)).code, 0);
  for (const pin of await filesIn(at.repository, 'pins')) await rm(pin); // by another host: this catalog does not learn it
  assert.equal((await at.inside('pin', others!)).code, 0);
  assert.equal(await at.catalog.retained.pin('disk', others!, undefined), true, 'another host has set it');
  const [pin] = await filesIn(at.repository, 'pins');
  await flip(pin!);

  const repaired = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  const text = `1 pin cannot be read, .*perhaps ${gone}: .* then delete pins/${basename(pin!)} in the repository`;
  assert.match(repaired.stdout + repaired.stderr, new RegExp(text));
  assert.deepEqual(await filesIn(at.repository, 'pins'), [pin]);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 10, 'nobody knows what it keeps');
  assert.equal((await at.snapshots()).length, 3);

  assert.equal((await at.inside('pin', others!)).code, 0);
  await rm(pin!);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual(await at.ids(), [newest, others]);
});
