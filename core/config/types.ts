import type { Diagnostic, Position } from '../diagnostic.ts';
import type { BackupType, DestinationDriver, DriverRegistry, SourceDriver } from '../driver/index.ts';

export type Drivers = DriverRegistry<SourceDriver, DestinationDriver>;

/**
 * The top-level keys of the YAML that hold named resources; each refers only to those before it. An address is
 * `<collection>.<name>`.
 */
export const collections = ['sources', 'destinations', 'retention', 'plans'] as const;
export type Collection = (typeof collections)[number];

/** Of an address `<collection>.<name>`; a name may have dots too. */
export function splitAddress(address: string): { readonly collection: Collection; readonly name: string } {
  const dot = address.indexOf('.');
  return { collection: address.slice(0, dot) as Collection, name: address.slice(dot + 1) };
}

/** One named thing of the configuration, as written (validated, defaults not filled in, secrets as references). */
export interface Resource {
  readonly address: string;
  readonly collection: Collection;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The desired state: what the files say. The applied state in the catalog has the same resources. */
export interface Configuration {
  readonly resources: ReadonlyMap<string, Resource>;
  readonly daemon: DaemonSettings;
  /** Where a resource, or a field of it (`['retry', 'attempts']`), stands in the files. */
  position(address: string, path?: readonly (string | number)[]): Position | undefined;
}

export interface LoadedConfiguration {
  /** Absent when there are errors. */
  readonly configuration?: Configuration;
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, absolute. */
  readonly files: readonly string[];
}

/** `daemon:` of the YAML with defaults filled in. Read when a process starts; not part of change sets. */
export interface DaemonSettings {
  /** `sqlite:<absolute path>`. */
  readonly catalog: string;
  readonly listen: string;
  readonly concurrency: number;
  readonly keep: KeepSettings;
  readonly prune: PruneSettings;
}

/** How space is freed in destinations. */
export interface PruneSettings {
  /** Absent when only people do it. */
  readonly schedule?: string;
  readonly timezone: string;
  /** Data that nothing needs stays for so long before it is deleted. */
  readonly graceMs: number;
  readonly maxUnused: MaxUnused;
}

/** How much of a repository may be waste: percent of it, bytes, or any. */
export type MaxUnused = { readonly percent: number } | { readonly bytes: number } | 'unlimited';

/** What the catalog remembers of what has ended: by age, and of each at most so many. */
export interface KeepSettings {
  readonly jobsMs: number;
  readonly eventsMs: number;
  readonly most: number;
}

/** A plan's spec with units parsed and defaults filled in. */
export interface PlanSettings {
  readonly name: string;
  readonly source: string;
  readonly type: BackupType;
  /** Files and folders of this machine that the source is: `SourceDriver.pathSettings`. */
  readonly paths: readonly string[];
  readonly schedule?: string;
  readonly timezone: string;
  /** How long after its time a run may still start. */
  readonly windowMs?: number;
  /** Spreads starts: up to this much is added to each scheduled time, the same for each run. */
  readonly jitterMs: number;
  readonly destinations: readonly string[];
  readonly retention?: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly retry: { readonly attempts: number; readonly backoffMs: number };
  readonly missed: 'run-once' | 'skip';
}
