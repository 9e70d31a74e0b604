/** `prune-child.ts FOLDER PASSWORD_FILE now|marks`: a prune as an operation runs it; `marks` is one that marks and one that removes. */
import { readFile } from 'node:fs/promises';
import { systemClock } from '../core/clock.ts';
import { Repository } from '../core/repository/index.ts';
import { Secret } from '../core/secret.ts';
import { local } from '../drivers/files/index.ts';

const [folder, passwordFile, how] = process.argv.slice(2) as [string, string, 'now' | 'marks'];
const { signal } = new AbortController();
const now = how === 'now';
const work = { signal, threads: 2, progress: { add() {}, expect() {}, step() {} } };
const context = { subject: 'destinations.bench', secret: async () => new Secret(''), clock: systemClock };
const store = await local.open({ path: folder }, context);
const password = new Secret(await readFile(passwordFile, 'utf8'));
const by = { host: 'bench', user: 'bench', pid: process.pid };
const repository = await Repository.open({ store, password, by, clock: systemClock, processAlive: () => true });
for (let round = now ? 2 : 1; round <= 2; round++) {
  await using lock = await repository.lock(now ? 'exclusive' : 'shared', signal, 'prune');
  const plan = await repository.planPrune(lock, { maxUnused: { percent: 5 }, graceMs: 0, now }, work);
  const result = await repository.prune(plan, work);
  console.log(JSON.stringify({ summary: plan.summary, result }));
}
