import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlobIndex } from '../../../../core/repository/blob-index.ts';
import { groupsOf, groupUses } from '../../../../core/repository/stats/groups.ts';

test('of very many plans those with the fewest backups are taken together, and it is said how many', () => {
  const snapshots = Array.from({ length: 300 }, (_, at) => {
    const plan = `p${at < 200 ? at : at - 200}`; // the first hundred plans have two
    return { id: `${at}`, tree: '', time: '', backup: `${at}`, plan, type: 'snapshot' };
  });
  const uses = groupUses(new BlobIndex(), groupsOf(snapshots), 'plan');
  assert.equal(uses.length, 100);
  const [last] = uses.filter(({ further }) => further !== undefined);
  assert.deepEqual([last!.further, last!.backups], [100, 102]);
  assert.equal(
    uses.reduce((sum, { backups }) => sum + backups, 0),
    300,
  );
});
