import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Tables } from './tables.ts';

/** What every part of a catalog works with. `newId` gives ULIDs that grow even within one millisecond. */
export interface PartContext {
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly newId: () => string;
}
