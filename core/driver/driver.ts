import type { Clock } from '../clock.ts';
import type { SecretResolver } from '../secret.ts';

/** A JSON Schema, draft 2020-12, as data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a driver gets from outside when it is opened. Drivers read no environment, clock or global state. What ends work
 * is the signal of each call: opening does no work that could take long.
 */
export interface DriverContext {
  /** The address of the resource, for the subject of errors: `sources.shop`. */
  readonly subject: string;
  readonly secret: SecretResolver;
  readonly clock: Clock;
}

/** Something that a probe found. An `error` makes `tidemark apply` refuse the resource. */
export interface DriverProblem {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly hint?: string;
}

/** Counts that grow, told as often as the driver likes; the job decides how often to show them, and takes back what is done anew. */
export interface Progress {
  /** Adds to what was read or written so far. */
  add(done: { bytes?: number; items?: number }): void;
  /** Says how much there will be, as soon as that is known; may be corrected later. */
  expect(total: { bytes?: number; items?: number }): void;
  /** What is being done now, in words: `reading shop.orders`. */
  step(text: string): void;
}

/** One run of some work: it stops promptly when the signal fires, and tells how far it got. */
export interface Run {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The drivers that a process knows. The composition root passes one; tests pass toys. */
export interface DriverRegistry<Source, Destination> {
  readonly sources: readonly Source[];
  readonly destinations: readonly Destination[];
}
