import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { hasCode } from '../../../core/error.ts';
import { planRestore } from '../../../core/operation/index.ts';
import { backup, manualClock } from '../../contracts/catalog-samples.ts';
import { tempFolder } from '../../kit/temp.ts';

test('the nearest backup after a time is told also when a thousand more came later', async (t) => {
  const clock = manualClock('2026-06-01T00:00:00Z');
  await using catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  const hour = (at: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + at * 3_600_000);
  const backups = Array.from({ length: 1_100 }, (_, at) => backup({ consistentAt: hour(at) }));
  await catalog.backups.takeStock('nas', { found: backups, gone: [], damaged: new Map() });
  const wish = {
    source: 'shop',
    at: new Date('2026-02-28T12:00:00Z'),
    target: { folder: '/nowhere' },
    ...{ only: [], overwrite: false, verify: false, keepDamaged: false },
  };
  const planning = planRestore({ catalog, drivers: { sources: [], destinations: [] } }, wish, clock.now());
  const { id } = backups[0]!;
  await assert.rejects(planning, (error) => hasCode(error, 'BACKUP_NOT_FOUND') && !!error.hint?.includes(id));
});

test('the newest is not one that is dated in the future, unless it is named or nothing else is there', async (t) => {
  const clock = manualClock('2026-06-01T00:00:00Z');
  await using catalog = await openSqliteCatalog(join(await tempFolder(t), 'catalog.db'), clock);
  const past = backup({ consistentAt: new Date('2026-05-31T00:00:00Z') });
  const ahead = backup({ consistentAt: new Date('2031-01-01T00:00:00Z') });
  const wish = {
    source: 'shop',
    target: { folder: '/nowhere' },
    ...{ only: [], overwrite: false, verify: false, keepDamaged: false },
  };
  const planned = (more: { backup?: string } = {}) =>
    planRestore({ catalog, drivers: { sources: [], destinations: [] } }, { ...wish, ...more }, clock.now());
  await catalog.backups.takeStock('nas', { found: [ahead], gone: [], damaged: new Map() });
  assert.equal((await planned()).backup.id, ahead.id);
  await catalog.backups.takeStock('nas', { found: [past], gone: [], damaged: new Map() });
  const { backup: chosen, why } = await planned();
  assert.equal(chosen.id, past.id);
  assert.match(why, /, but for 1 that is dated in the future/);
  assert.equal((await planned({ backup: ahead.id })).backup.id, ahead.id);
});
