import type { JobState } from './catalog.ts';

/** Every way that a job may go. The catalog refuses all others. */
export const jobTransitions: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ['running', 'cancelled', 'missed'],
  running: ['succeeded', 'partial', 'failed', 'cancelled', 'queued'],
  succeeded: [],
  partial: [],
  failed: [],
  cancelled: [],
  missed: [],
};

export function canTransition(from: JobState, to: JobState): boolean {
  return jobTransitions[from].includes(to);
}

/** True when nothing can happen to the job any more. */
export function isFinal(state: JobState): boolean {
  return jobTransitions[state].length === 0;
}

/** The table as a Mermaid diagram, for the docs. */
export function jobStateDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> queued', '  [*] --> missed'];
  for (const [from, targets] of Object.entries(jobTransitions)) {
    for (const to of targets) lines.push(`  ${from} --> ${to}`);
    if (targets.length === 0) lines.push(`  ${from} --> [*]`);
  }
  return lines.join('\n');
}
