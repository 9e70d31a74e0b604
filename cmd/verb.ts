import type { Command } from 'commander';
import type { Workspace } from './compose.ts';

/** Turns the work of a verb into an action for commander: with a workspace in front of its arguments. */
export type Bind = <Args extends unknown[]>(
  verb: (workspace: Workspace, ...args: Args) => Promise<number>,
  options?: VerbOptions,
) => (...args: Args) => Promise<void>;

export interface VerbOptions {
  /** Takes its time to end after the first signal, as a job must that is to leave nothing half done. */
  readonly windsDown?: boolean;
}

/** Adds one verb to the program. The work gives the exit code; what it throws is shown and gives its own. */
export type Register = (program: Command, bind: Bind) => void;
