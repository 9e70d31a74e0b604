import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Catalog, type NewJob, openSqliteCatalog } from '../../../core/catalog/index.ts';
import type { Clock } from '../../../core/clock.ts';
import type { PlanSettings } from '../../../core/config/types.ts';
import { type JobContext, jobKinds, leaseMs, type Operation } from '../../../core/job/index.ts';
import { createEmitter } from '../../../core/observe/index.ts';
import { resource } from '../../contracts/catalog-samples.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { tempFolder } from '../../kit/temp.ts';

export interface Bench {
  readonly path: string;
  readonly clock: Clock;
  readonly context: JobContext;
}

/** A catalog of its own in which `plan()` is applied, in time that passes 8 times as fast. */
export async function bench(t: TestContext): Promise<Bench> {
  const path = join(await tempFolder(t), 'catalog.db');
  const clock = fastClock(8);
  const context = await contextOf(t, path, clock, 'one');
  const put = [resource('plans.nightly'), resource('sources.shop'), resource('destinations.nas')];
  await context.catalog.state.commit({ expectedSerial: 0, put, remove: [], rename: [] });
  return { path, clock, context };
}

/** What a further process would have. */
export async function contextOf(t: TestContext, path: string, clock: Clock, owner: string): Promise<JobContext> {
  const catalog = await openSqliteCatalog(path, clock);
  t.after(() => catalog[Symbol.asyncDispose]());
  return { catalog, clock, owner, fate: () => 'unknown', emit: createEmitter(catalog.events), kinds: jobKinds };
}

export function plan(change: Partial<PlanSettings> = {}): PlanSettings {
  return {
    name: 'nightly',
    source: 'shop',
    type: 'logical',
    paths: [],
    schedule: '0 1 * * *',
    timezone: 'UTC',
    jitterMs: 0,
    destinations: ['nas'],
    include: [],
    exclude: [],
    retry: { attempts: 3, backoffMs: 5_000 },
    missed: 'run-once',
    ...change,
  };
}

export async function claimed(context: JobContext, job: NewJob) {
  const { id } = await context.catalog.jobs.add(job);
  const claim = await context.catalog.jobs.claim({ owner: context.owner, leaseMs, id });
  if (claim === undefined) throw new Error('nothing was claimed');
  return claim;
}

/** Work that goes on until its signal fires, and rejects with the reason as operations do. */
export const untilStopped: Operation = (_job, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

export async function eventsOf(catalog: Catalog): Promise<string[]> {
  return (await catalog.events.list()).map(({ kind, subject }) => `${kind} ${subject}`);
}
