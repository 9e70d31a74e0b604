/** `child.ts FOLDER WORK POINT`: does a work on the repository there and is killed at its POINTth change of a file. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../../../core/clock.ts';
import { LocalStore } from '../../../../drivers/files/local/local-store.ts';
import { watchChanges } from '../../../kit/change-points.ts';
import { works } from './works.ts';

const [folder, work, point] = process.argv.slice(2);
let left = Number(point);
watchChanges(folder!, () => {
  if (left-- === 0) process.kill(process.pid, 'SIGKILL');
});
const store = new LocalStore({ path: folder!, requireMount: false, subject: 'destinations.test', clock: systemClock });
await works[work!]!.run(store, (name) => writeSync(1, `${name}\n`));
