import type { Job, JobUse, NewJob } from '../catalog/index.ts';
import { spaceUses } from './uses.ts';

interface DestinationJob {
  /** One of `jobKinds`. */
  readonly kind: string;
  readonly destination: string;
  readonly trigger: Job['trigger'];
  readonly request: NewJob['request'];
  /** What it does to all that the repository holds: of those that write one runs at a time, and none that reads beside it. */
  readonly mode: JobUse['mode'];
  /** 1 when left out. */
  readonly attempts?: number;
  /** `missed` records a run that did not happen. */
  readonly state?: NewJob['state'];
}

/** A job that belongs to a destination and has no source. Its events are those of the destination. */
export function destinationJob({ mode, attempts = 1, state, ...job }: DestinationJob): NewJob {
  const uses = state === 'missed' ? [] : spaceUses(job.destination, mode);
  return { ...job, source: '', uses, attempts, ...(state === undefined ? {} : { state }) };
}
