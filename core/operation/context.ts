import type { Catalog, ProcessFate } from '../catalog/index.ts';
import type { Clock } from '../clock.ts';
import type { Drivers } from '../config/index.ts';
import type { ScryptCost } from '../repository/index.ts';
import type { SecretResolver } from '../secret.ts';

/** What every operation needs from the process that it runs in. The composition root makes one. */
export interface OperationContext {
  readonly catalog: Catalog;
  readonly drivers: Drivers;
  readonly secret: SecretResolver;
  readonly clock: Clock;
  /** What can be known of the process behind an owner. */
  fate(owner: string): ProcessFate;
  /** Tidemark's own version, for manifests. */
  readonly version: string;
  /** Of keys that are made, where it shall not be what it ought to. */
  readonly keyCost?: ScryptCost;
  /** Of locks of repositories, where it shall not be what it ought to. */
  readonly lockSettleMs?: number;
  readonly process: {
    readonly host: string;
    readonly user: string;
    readonly pid: number;
    /** Whether a process of this host is alive, and not begun after `since`, where that is known. */
    readonly alive: (pid: number, since?: Date) => boolean;
    /** How many data threads to use. */
    readonly threads: number;
  };
}

/** What a plan is made from: no secret is needed, nothing is opened. */
export type PlanningContext = Pick<OperationContext, 'catalog' | 'drivers'>;
