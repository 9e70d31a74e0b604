/** A daemon in a process of its own, to be killed: `node daemon-process.ts FOLDER ORIGIN_MS`. Its backups never end. */
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { untilStopped } from '../job/job-kit.ts';
import { startDaemon } from './daemon-kit.ts';

const [folder = '', originMs] = process.argv.slice(2);

test('runs until it is killed', async (t) => {
  const clock = fastClock(10, Number(originMs));
  const catalogPath = join(folder, 'catalog.db');
  const catalog = await openSqliteCatalog(catalogPath, clock);
  const at = { folder, configuration: join(folder, 'tidemark.yaml'), catalogPath, clock, catalog };
  const { ended } = await startDaemon(t, at, { owner: 'killed', backup: untilStopped });
  await ended;
});
