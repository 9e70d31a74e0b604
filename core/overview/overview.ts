import type { BackupRecord, DaemonRecord, Job, PlanStatus } from '../catalog/index.ts';
import type { PlanSettings } from '../config/index.ts';
import type { NewestBackups } from '../newest-backup.ts';

export const sourceStates = [
  'running',
  'no plan',
  'suspended',
  'failing',
  'paused',
  'waiting',
  'scheduled',
  'manual',
] as const;
export type SourceState = (typeof sourceStates)[number];

/** The answer to "am I safe?", from the catalog alone. */
export interface Overview {
  readonly serial: number;
  readonly daemons: readonly DaemonRecord[];
  readonly sources: readonly SourceOverview[];
  readonly destinations: readonly DestinationOverview[];
  /** Why not everything is safe, beside what the sources say; none when all is well. */
  readonly problems: readonly string[];
}

export interface SourceOverview {
  readonly name: string;
  readonly driver: string;
  readonly state: SourceState;
  readonly newest?: BackupRecord;
  readonly plans: readonly PlanOverview[];
  readonly problems: readonly string[];
}

export interface PlanOverview extends NewestBackups {
  readonly settings: PlanSettings;
  readonly status: PlanStatus;
  readonly nextRun?: Date;
  readonly active?: Job;
  /** Why the latest run that ended did not succeed. */
  readonly lastError?: string;
}

export interface DestinationOverview {
  readonly name: string;
  readonly driver: string;
  readonly copies: number;
  /** What the copies restore to, not what they occupy. */
  readonly sizeBytes: number;
}

/** True when nothing is wrong anywhere. */
export function isSafe({ problems, sources }: Overview): boolean {
  return problems.length === 0 && sources.every((source) => source.problems.length === 0);
}
