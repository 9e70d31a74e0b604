import type { Resource } from '../config/index.ts';
import type { DestinationDriver } from '../driver/index.ts';
import type { Consequence } from './change-set.ts';
import type { Observed } from './observed.ts';

/** What the rules of a collection say of one action. */
export interface Verdict {
  readonly refuse?: { readonly reason: string; readonly hint: string };
  readonly consequences?: readonly Consequence[];
  readonly destructive?: boolean;
}

export interface Rules {
  add?(after: Resource, world: World): Verdict;
  change?(before: Resource, after: Resource, changed: ReadonlySet<string>, world: World): Verdict;
  /** Every removal is destructive without saying so. */
  remove?(before: Resource, world: World): Verdict;
}

/** What rules look at; names are those that the renames of the change set give. */
export interface World {
  readonly desired: ReadonlyMap<string, Resource>;
  readonly applied: ReadonlyMap<string, Resource & { readonly identity?: string }>;
  readonly observed: Observed;
  /** The drivers of destinations that are known. */
  readonly destinations: readonly PlacedDriver[];
  readonly now: Date;
}

/** As much of a driver of destinations as rules need. */
export type PlacedDriver = Pick<DestinationDriver, 'kind' | 'placeSettings'>;
