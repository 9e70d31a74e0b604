import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localStore, reopen } from '../core/repository/repository-kit.ts';
import { pruneHome } from './prune-kit.ts';

test('a pin from another machine holds also what a crash left half deleted, once', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 3 }' });
  const [first, second, newest] = await at.backUp(3);
  for (const id of [first!, second!])
    assert.equal(await at.catalog.backups.expire(await at.catalog.backups.get(id)), undefined);
  const repository = await reopen(await localStore(at.repository));
  await repository.pins.add({
    format: 1,
    backup: first!,
    pinnedAt: new Date().toISOString(),
    by: 'other',
    reason: 'law',
  });

  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 4, pruned.stderr);
  assert.match(pruned.stdout + pruned.stderr, new RegExp(`${first}.*pinned`, 's'));
  const { problems } = JSON.parse((await at.inside('status', '--json')).stdout);
  assert.match(problems.join(), /the last prune of disk left something: 1 backup was not deleted: .*pinned/);
  const [event] = JSON.parse((await at.inside('events', '--json', '--kind', 'repository.pruned')).stdout).events;
  assert.match(event.text, /1 backup was not deleted: .*pinned/);
  assert.deepEqual(await at.ids(), [newest, first]);
  assert.equal((await at.snapshots()).length, 2);
  const kept = await at.catalog.backups.get(first!);
  assert.deepEqual([kept.expiringAt, kept.pin?.reason], [undefined, 'law']);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0, 'it is not on its way out any more');
  await at.judge(['check', '--read-data']);
});
