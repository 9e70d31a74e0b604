/** A process of its own that works on a catalog: `node catalog-process.ts <url> <work>`. Prints what it did. */
import type { Catalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { backup, job } from './catalog-samples.ts';
import { openCatalog } from './open-catalog.ts';

const works: Readonly<Record<string, (catalog: Catalog) => Promise<unknown>>> = {
  /** Claims and finishes jobs until there is none and an event says that none comes; prints their ids. */
  async claim(catalog) {
    const ids: string[] = [];
    print('ready');
    for (;;) {
      const closed = (await catalog.events.list()).length > 0;
      const held = await catalog.jobs.claim({ owner: `pid-${process.pid}`, leaseMs: 60_000 });
      if (held === undefined && closed) return ids;
      await systemClock.sleep(2);
      if (held === undefined) continue;
      ids.push(held.id);
      await catalog.jobs.transition(held, 'succeeded');
    }
  },
  /** As `claim`, with jobs that clash; prints the ids of those during which another ran that clashes with it. */
  async clash(catalog) {
    const wrong: string[] = [];
    print('ready');
    for (;;) {
      const closed = (await catalog.events.list()).length > 0;
      const held = await catalog.jobs.claim({ owner: `pid-${process.pid}`, leaseMs: 60_000 });
      if (held === undefined && closed && (await catalog.jobs.list({ states: ['queued'] })).length === 0) return wrong;
      if (held === undefined) continue;
      await systemClock.sleep(3);
      const rivals = await catalog.jobs.rivals(held.uses);
      if (rivals.some(({ job }) => job.id !== held.id)) wrong.push(held.id);
      await catalog.jobs.transition(held, 'succeeded');
    }
  },
  /** Writes until it is killed; prints a line for each backup that was recorded. */
  async write(catalog) {
    for (;;) {
      const one = backup();
      await catalog.backups.record(one);
      await catalog.jobs.add(job());
      print(one.id);
    }
  },
  /** Opens, as the first or not; prints the lineage. */
  async open(catalog) {
    return (await catalog.state.read()).lineage;
  },
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [url, work] = process.argv.slice(2);
await using catalog = await openCatalog(url!);
print(JSON.stringify(await works[work!]!(catalog)));
