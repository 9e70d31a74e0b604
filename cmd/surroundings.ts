import type { Clock } from '../core/clock.ts';
import type { Drivers } from '../core/config/index.ts';
import type { OperationContext } from '../core/operation/index.ts';
import type { ProcessOwner } from './process-owner.ts';

/** Everything that the command gets from the process it runs in. `main.ts` takes it from Node; tests make their own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly clock: Clock;
  readonly version: string;
  readonly process: OperationContext['process'];
  readonly keyCost?: OperationContext['keyCost'];
  readonly lockSettleMs?: OperationContext['lockSettleMs'];
  readonly self: ProcessOwner;
  /** Loaded when first needed: verbs that only read the catalog start faster without some of them. */
  readonly drivers: () => Promise<Drivers>;
  /** The first signal to end: what runs is cancelled, or drained. */
  readonly ending: AbortSignal;
  /** The second one: end at once. */
  readonly endingNow: AbortSignal;
  /** Nobody reads what is written to stdout any more. */
  readonly unheard: AbortSignal;
  /** Gives what SIGHUP calls. */
  readonly onReload: (reload: () => void) => void;
}

export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Input extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean;
  /** On a terminal: whether keys come one by one and unseen. */
  setRawMode?(raw: boolean): unknown;
  destroy?(): unknown;
}

/** The options that every verb has. */
export interface Globals {
  readonly config?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}
