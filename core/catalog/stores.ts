import type { Kysely } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { Clock } from '../clock.ts';
import { openBackupStore } from './backup-store.ts';
import type { Catalog } from './catalog.ts';
import { openDaemonStore } from './daemon-store.ts';
import { openEventStore } from './event-store.ts';
import { openJobStore } from './job-store.ts';
import { openPlanStore } from './plan-store.ts';
import { openStateStore } from './state-store.ts';
import type { StoreContext } from './store-context.ts';
import type { Tables } from './tables.ts';

/** The stores of a catalog over any database that Kysely speaks and that has been migrated. */
export function openStores(db: Kysely<Tables>, clock: Clock): Omit<Catalog, typeof Symbol.asyncDispose> {
  const nextId = monotonicFactory();
  const context: StoreContext = { db, clock, newId: () => nextId(clock.now().getTime()) };
  return {
    state: openStateStore(context),
    backups: openBackupStore(context),
    jobs: openJobStore(context),
    plans: openPlanStore(context),
    events: openEventStore(context),
    daemons: openDaemonStore(context),
  };
}
