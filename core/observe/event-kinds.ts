import type { EventLevel } from '../catalog/index.ts';

interface EventKindEntry {
  readonly level: EventLevel;
  readonly text: string;
}

/** Every kind of event there is. `docs/reference/events.md` is generated from this table. */
export const eventKinds = {
  'daemon.started': { level: 'info', text: 'A daemon started.' },
  'daemon.stopped': { level: 'info', text: 'A daemon stopped after finishing or handing back its jobs.' },
  'daemon.failed': { level: 'error', text: 'A part of the daemon died; it stops so that it can be started afresh.' },
  'catalog.new': { level: 'warning', text: 'A daemon started on a catalog that knows nothing of earlier backups.' },
  'change.applied': { level: 'info', text: 'A change set was applied.' },
  'config.applied': { level: 'info', text: 'The daemon read the configuration and it is the applied state.' },
  'config.pending': { level: 'warning', text: 'A change of the configuration waits for `tidemark apply`.' },
  'config.invalid': { level: 'error', text: 'The configuration has errors; the applied state goes on unchanged.' },
  'job.succeeded': { level: 'info', text: 'A job ended well.' },
  'job.partial': { level: 'warning', text: 'A job ended, and some of what it should have done is missing.' },
  'job.retried': { level: 'warning', text: 'A job failed and is queued to be tried again.' },
  'job.failed': { level: 'error', text: 'A job failed for good.' },
  'job.cancelled': { level: 'warning', text: 'A job was cancelled.' },
  'job.missed': { level: 'warning', text: 'Scheduled runs of a plan did not happen.' },
  'repository.damaged': {
    level: 'error',
    text: 'A backup or a check found that a repository is damaged: backups in it may lack files.',
  },
  'repository.mended': { level: 'info', text: 'Nothing was found any more of the damage that was found before.' },
  'backup.repaired': {
    level: 'warning',
    text: 'A repair of a damaged repository left out of a backup what was lost of it, or moved the backup aside.',
  },
  'backup.expired': { level: 'info', text: 'Backups that no rule of their plan keeps were deleted.' },
  'backup.deleted': { level: 'warning', text: 'A person deleted backups.' },
  'repository.emptied': {
    level: 'info',
    text: 'The last backup in a repository was deleted, by a person or by a rule.',
  },
  'repository.pruned': {
    level: 'info',
    text: 'Space that no backup needs was freed in a destination, or marked for that.',
  },
  'prune.overdue': { level: 'error', text: 'For long no prune of a destination has succeeded: it fills.' },
  'clock.ahead': {
    level: 'warning',
    text: 'A schedule stood at a time that is still to come, by a clock that ran ahead: it begins anew.',
  },
  'plan.paused': { level: 'info', text: 'A person paused a plan.' },
  'plan.suspended': { level: 'error', text: 'A plan does not run while its source or destination is down.' },
  'plan.resumed': { level: 'info', text: 'A paused or suspended plan runs again.' },
} as const satisfies Record<string, EventKindEntry>;

export type EventKind = keyof typeof eventKinds;

/** The table as Markdown. */
export function eventReference(): string {
  const rows = Object.entries(eventKinds).map(([kind, { level, text }]) => `| \`${kind}\` | ${level} | ${text} |`);
  return ['| kind | level | meaning |', '|---|---|---|', ...rows].join('\n');
}
