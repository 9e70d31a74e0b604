export type ErrorKind =
  | 'config'
  | 'auth'
  | 'network'
  | 'not-found'
  | 'conflict'
  | 'corrupt'
  | 'capacity'
  | 'cancelled'
  | 'bug';

interface ErrorCodeEntry {
  readonly kind: ErrorKind;
  /** `backoff`: the same call may succeed later without anyone changing anything. */
  readonly retry: 'never' | 'backoff';
  readonly text: string;
}

/** Every error code there is. `docs/reference/errors.md` is generated from this table. */
export const errorCodes = {
  CONFIG_INVALID: {
    kind: 'config',
    retry: 'never',
    text: 'The configuration has errors; each is listed with its place.',
  },
  CONFIG_NOT_FOUND: { kind: 'config', retry: 'never', text: 'No configuration file was found.' },
  USAGE: { kind: 'config', retry: 'never', text: 'The command line was not understood.' },
  UNSUPPORTED: { kind: 'config', retry: 'never', text: 'The driver or version cannot do what was asked.' },
  SECRET_UNREADABLE: { kind: 'config', retry: 'never', text: 'A secret reference could not be resolved.' },
  NOT_APPLIED: { kind: 'config', retry: 'never', text: 'The resource is not in the applied configuration.' },
  CHANGE_REFUSED: { kind: 'conflict', retry: 'never', text: 'The change set contains refused actions.' },
  CHANGE_STALE: { kind: 'conflict', retry: 'never', text: 'The saved change set no longer fits the applied state.' },
  PROBE_FAILED: {
    kind: 'config',
    retry: 'never',
    text: 'A source or destination cannot be used as it is; nothing was applied.',
  },
  SOURCE_UNREACHABLE: { kind: 'network', retry: 'backoff', text: 'The source did not answer.' },
  SOURCE_DENIED: { kind: 'auth', retry: 'never', text: 'The source refused the credentials or lacks a privilege.' },
  SOURCE_CHANGED: { kind: 'conflict', retry: 'backoff', text: 'The source changed in a way that spoils this backup.' },
  SOURCE_FAILED: { kind: 'network', retry: 'backoff', text: 'The source failed while it was being read.' },
  DESTINATION_UNREACHABLE: {
    kind: 'network',
    retry: 'backoff',
    text: 'The destination did not answer or is not mounted.',
  },
  DESTINATION_DENIED: { kind: 'auth', retry: 'never', text: 'The destination refused access.' },
  DESTINATION_FULL: { kind: 'capacity', retry: 'backoff', text: 'The destination has no space left.' },
  OBJECT_NOT_FOUND: { kind: 'not-found', retry: 'never', text: 'The store has no object of that name.' },
  OBJECT_EXISTS: { kind: 'conflict', retry: 'never', text: 'The store already has an object of that name.' },
  REPOSITORY_MISSING: { kind: 'not-found', retry: 'never', text: 'There is no repository at the destination.' },
  REPOSITORY_EXISTS: { kind: 'conflict', retry: 'never', text: 'There already is a repository at the destination.' },
  REPOSITORY_OTHER: {
    kind: 'conflict',
    retry: 'never',
    text: 'The destination holds another repository than the one that was applied.',
  },
  REPOSITORY_LOCKED: { kind: 'conflict', retry: 'backoff', text: 'Somebody else holds a conflicting repository lock.' },
  REPOSITORY_LOCK_LOST: { kind: 'conflict', retry: 'backoff', text: 'The repository lock could not be kept.' },
  REPOSITORY_PASSWORD: { kind: 'auth', retry: 'never', text: 'No key of the repository opens with this password.' },
  REPOSITORY_CORRUPT: { kind: 'corrupt', retry: 'never', text: 'Data in the repository is damaged or missing.' },
  KIT_UNUSABLE: {
    kind: 'config',
    retry: 'never',
    text: 'The recovery kit was not copied as it was printed, or is of another repository.',
  },
  BACKUP_NOT_FOUND: { kind: 'not-found', retry: 'never', text: 'There is no such backup.' },
  BACKUP_AMBIGUOUS: { kind: 'not-found', retry: 'never', text: 'The identifier fits several backups.' },
  BACKUP_NEEDED: { kind: 'conflict', retry: 'never', text: 'The backup is not deleted: something needs it.' },
  BACKUP_INCOMPLETE: { kind: 'corrupt', retry: 'never', text: 'The backup lacks a part that its manifest declares.' },
  BACKUP_UNRECORDED: {
    kind: 'conflict',
    retry: 'never',
    text: 'The backup is stored in its repository, but the catalog could not be told of it.',
  },
  TARGET_NOT_EMPTY: { kind: 'conflict', retry: 'never', text: 'The restore target already holds data.' },
  TARGET_DENIED: {
    kind: 'auth',
    retry: 'never',
    text: 'The restore target takes no writes, or the account lacks what this restore needs; nothing was restored.',
  },
  TARGET_UNSAFE: { kind: 'corrupt', retry: 'never', text: 'A path of the backup would leave the restore target.' },
  TARGET_FAILED: { kind: 'capacity', retry: 'never', text: 'The restore target could not be written.' },
  VERIFY_FAILED: { kind: 'corrupt', retry: 'never', text: 'What was restored differs from what was backed up.' },
  JOB_NOT_FOUND: { kind: 'not-found', retry: 'never', text: 'There is no such job.' },
  JOB_LOST: { kind: 'conflict', retry: 'backoff', text: 'The process that ran the job died or lost its lease.' },
  JOB_CONFLICT: {
    kind: 'conflict',
    retry: 'backoff',
    text: 'The job was changed by someone else, or one like it is running.',
  },
  DAEMON_RUNNING: { kind: 'conflict', retry: 'never', text: 'Another daemon runs on the catalog.' },
  DAEMON_MISSING: { kind: 'not-found', retry: 'never', text: 'No daemon runs that would do the job.' },
  PLAN_NOT_FOUND: { kind: 'not-found', retry: 'never', text: 'There is no such plan.' },
  CATALOG_UNREADABLE: { kind: 'corrupt', retry: 'never', text: 'The catalog cannot be opened.' },
  CATALOG_BUSY: { kind: 'conflict', retry: 'backoff', text: 'The catalog was locked for too long by another process.' },
  OUTPUT_UNWRITABLE: { kind: 'capacity', retry: 'never', text: 'The result could not be written to stdout.' },
  CANCELLED: { kind: 'cancelled', retry: 'never', text: 'The work was cancelled.' },
  OUT_OF_MEMORY: { kind: 'capacity', retry: 'backoff', text: 'The process cannot get the memory that it needs.' },
  INSTALLATION_BROKEN: { kind: 'bug', retry: 'never', text: 'A file of tidemark itself is missing.' },
  BUG: { kind: 'bug', retry: 'never', text: 'A defect of tidemark.' },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;

/** Process exit codes: 0 success, 2 only with `--detailed-exitcode`, 4 partial; the others by the kind of error. */
export const exitCodes: Readonly<Record<ErrorKind, number>> & { ok: 0; changes: 2; partial: 4 } = {
  ok: 0,
  bug: 1,
  changes: 2,
  config: 3,
  partial: 4,
  'not-found': 5,
  conflict: 6,
  auth: 7,
  network: 8,
  capacity: 9,
  corrupt: 10,
  cancelled: 130,
};
