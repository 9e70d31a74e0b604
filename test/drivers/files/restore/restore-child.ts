/** A restore in a process of its own, to be killed: repository, snapshot, folder. */
import { systemClock } from '../../../../core/clock.ts';
import { Repository } from '../../../../core/repository/index.ts';
import { Secret } from '../../../../core/secret.ts';
import { files, local } from '../../../../drivers/files/index.ts';

const [path, id, folder] = process.argv.slice(2) as [string, string, string];
const { signal } = new AbortController();
const context = { subject: 'sources.test', clock: systemClock, secret: async () => new Secret('unused') };
const work = { threads: 2, progress: { add() {}, expect() {}, step() {} }, signal };
const repository = await Repository.open({
  store: await local.open({ path }, context),
  password: new Secret('open sesame'),
  by: { host: 'test', user: 'test', pid: process.pid },
  clock: systemClock,
  processAlive: () => true,
});
await using reading = await repository.salvage(await repository.snapshot(id), work);
await using session = await files.openFolder!(folder, context);
await session.restore({ folder, only: [], overwrite: false, verify: false, keepDamaged: false, ...work }, reading);
