import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { RestorePlan } from '../../../core/restore/index.ts';
import { backup, job } from '../../contracts/catalog-samples.ts';
import { tempFolder } from '../../kit/temp.ts';

test('restores of a catalog from before plans have one, also of a backup that is gone', async (t) => {
  const path = join(await tempFolder(t), 'catalog.db');
  const known = backup({ partial: true });
  const ids: string[] = [];
  {
    await using catalog = await openSqliteCatalog(path, systemClock);
    await catalog.backups.record(known);
    for (const id of [known.id, '01GONE']) {
      const request = { backup: id, into: { folder: '/srv' }, only: ['a'], overwrite: true };
      ids.push((await catalog.jobs.add(job({ kind: 'restore', plan: undefined, destination: 'nas', request }))).id);
    }
  }
  {
    using database = new DatabaseSync(path);
    for (const column of ['waiterOwner', 'waiterUntil']) database.exec(`alter table job drop column ${column}`);
    for (const column of ['identity', 'pin', 'expiringAt', 'damage', 'seenAt'])
      database.exec(`alter table backup drop column ${column}`);
    database.exec('drop table check_status');
    database.exec('drop table destination_status');
    database.exec('pragma user_version = 3');
  }
  await using catalog = await openSqliteCatalog(path, systemClock);
  const [plan, lost] = (await Promise.all(ids.map(async (id) => (await catalog.jobs.get(id)).request))) as unknown as [
    RestorePlan,
    RestorePlan,
  ];
  const { id, destination, snapshot, source, driver, consistentAt } = known;
  assert.deepEqual(plan, {
    backup: {
      ...{ id, destination, snapshot, plan: known.plan, source, driver, partial: true },
      consistentAt: consistentAt.toISOString(),
    },
    target: { folder: '/srv' },
    only: ['a'],
    overwrite: true,
    why: 'it was named',
    alternatives: [],
  });
  assert.deepEqual([lost.backup.id, lost.backup.snapshot, lost.target], ['01GONE', '', { folder: '/srv' }]);
});
