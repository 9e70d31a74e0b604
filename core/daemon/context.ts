import type { AppliedState, Catalog, DaemonRecord, ProcessFate } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { KeepSettings, PlanSettings, PruneSettings } from '../config/index.ts';
import type { JobContext, JobKinds, Operation } from '../job/index.ts';
import type { Logger } from '../observe/index.ts';
import type { Turns } from '../turns.ts';
import type { Bell } from './bell.ts';
import type { Health } from './health.ts';
import type { Systemd } from './systemd.ts';

/** Everything that a daemon gets from outside. */
export interface DaemonContext {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who this is; `owner` is unique to the process. */
  readonly identity: Pick<DaemonRecord, 'owner' | 'pid' | 'host' | 'version'>;
  /** What can be known of the process behind an owner. */
  fate(owner: string): ProcessFate;
  /** Address and port of HTTP, `127.0.0.1:9631`; port 0 takes a free one. */
  readonly listen: string;
  /** How many jobs of kinds with `shared` slots may run at a time. */
  readonly concurrency: number;
  /** How long running jobs may go on after the drain signal. */
  readonly drainMs: number;
  readonly kinds: JobKinds;
  readonly keep: KeepSettings;
  readonly prune: PruneSettings;
  readonly operation: Operation;
  /** The plans of the applied state. */
  plans(state: AppliedState): readonly PlanSettings[];
  /** Throws SOURCE_UNREACHABLE when the source is down; what else it throws means that something answered. */
  probeSource(name: string, signal: AbortSignal): Promise<unknown>;
  /** Throws DESTINATION_UNREACHABLE when the destination is down. */
  probeDestination(name: string, signal: AbortSignal): Promise<unknown>;
  /** The configuration that is watched: a file or a folder, absolute. */
  readonly configurationPath: string;
  /**
   * Reads the configuration and applies what may be applied without a person. One call at a time. What is new may be slow to
   * answer, and much of it: `alive` is called after each look, and each waits for its turn.
   */
  reconcile(signal: AbortSignal, alive: () => void, turns: Turns): Promise<ReconcileOutcome>;
  /** Gives the function that a person's reload (SIGHUP) calls. */
  onReload?(reload: () => void): void;
  /** The address that HTTP really listens on. */
  onListening?(address: string): void;
  readonly systemd: Systemd;
}

/** What the loops of one daemon share. */
export interface Daemon {
  readonly context: DaemonContext;
  readonly jobs: JobContext;
  readonly bell: Bell;
  readonly health: Health;
  /** Of the probes, by `probeKey`: of what is applied, and of what is new. */
  readonly turns: Turns;
  readonly configuration: ConfigurationStatus;
}

/** The state of the watched configuration, as last seen. Only the configuration loop sets it. */
export interface ConfigurationStatus {
  current: DaemonRecord['configuration'] & { readonly pendingChanges: number };
  /** Of the applied state that it was compared with. */
  serial?: number;
  /** When to try again to read and apply it, on the monotonic clock. */
  retryAtMs?: number;
}

/** What reading the configuration came to. */
export type ReconcileOutcome =
  /** It is the applied state. */
  | { readonly state: 'applied'; readonly text: string }
  /** It is valid and waits for a person, or with `retry` for what it adds to be there. */
  | { readonly state: 'pending'; readonly text: string; readonly pendingChanges: number; readonly retry?: boolean }
  /** It has errors; the applied state stays. */
  | { readonly state: 'invalid'; readonly text: string };
