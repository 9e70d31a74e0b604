/** `repair-child.ts FOLDER POINT`: repairs the repository there and is killed before its POINTth change that takes effect. */
import { systemClock } from '../../../../core/clock.ts';
import { LocalStore } from '../../../../drivers/files/local/local-store.ts';
import { watchChanges } from '../../../kit/change-points.ts';
import { planRepair, repair } from './broken.ts';
import { openAlone } from './works.ts';

/** Between these only temporary files differ. */
const changes = ['rename', 'link', 'unlink', 'rm'];

const [folder, point] = process.argv.slice(2);
let left = Number(point);
watchChanges(folder!, ({ call }) => {
  if (changes.includes(call) && left-- === 0) process.kill(process.pid, 'SIGKILL');
});
const store = new LocalStore({ path: folder!, requireMount: false, subject: 'destinations.test', clock: systemClock });
const repository = await openAlone(store);
await repair(repository, await planRepair(repository));
