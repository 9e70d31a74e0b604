import type { Kysely } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { Clock } from '../clock.ts';
import { openAppliedState } from './applied-state.ts';
import { openBackups } from './backups.ts';
import type { Catalog } from './catalog.ts';
import { openChecks } from './checks.ts';
import { openDaemons } from './daemons.ts';
import { openDestinationStatuses } from './destination-statuses.ts';
import { openEvents } from './events.ts';
import { openJobs } from './jobs.ts';
import type { PartContext } from './part-context.ts';
import { openPlanStatuses } from './plan-statuses.ts';
import { openRetained } from './retained.ts';
import type { Tables } from './tables.ts';

/** The parts of a catalog over any database that Kysely speaks and that has been migrated. */
export function openParts(
  db: Kysely<Tables>,
  clock: Clock,
): Omit<Catalog, 'checkPresence' | typeof Symbol.asyncDispose> {
  const nextId = monotonicFactory();
  const context: PartContext = { db, clock, newId: () => nextId(clock.now().getTime()) };
  return {
    state: openAppliedState(context),
    backups: openBackups(context),
    retained: openRetained(context),
    jobs: openJobs(context),
    plans: openPlanStatuses(context),
    destinations: openDestinationStatuses(context),
    events: openEvents(context),
    daemons: openDaemons(context),
    checks: openChecks(context),
  };
}
