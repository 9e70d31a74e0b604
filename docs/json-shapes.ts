/**
 * The JSON that verbs print with `--json`: of `docs/reference/json.md`, and of the test that holds outputs against it.
 * A field is `type: what it is`; one whose name ends in `?` may be left out. A type is one of `plainTypes`, the name of a
 * shape, or either with `[]`.
 */
export type Shape = Readonly<Record<string, string>>;

export const plainTypes = {
  text: 'a string',
  time: 'a string, ISO 8601 in UTC with milliseconds',
  number: 'a number',
  bytes: 'a whole number of bytes',
  boolean: 'true or false',
  any: 'any JSON; its shape is not promised',
} as const;

const error: Shape = {
  code: 'text: One of the errors in errors.md.',
  kind: 'text: What sort of error; decides the exit code.',
  message: 'text: For people; may change.',
  'subject?': 'text: What it is about, as an address: `destinations.nas`.',
  'hint?': 'text: What to do.',
};

const notRestored: Shape = {
  notRestored: 'NotRestored[]: What is not whole in the target; the first 10,000.',
  notRestoredCount: 'number: How many there are.',
};

export const shapes: Readonly<Record<string, Shape>> = {
  Error: error,
  Finding: {
    kind: 'text: What sort of thing; one of those in repository-findings.md.',
    severity: 'text: `damage`, `unread` (nothing is known of it) or `note` (harmless).',
    object: 'text: The object of the repository, as the destination names it.',
    text: 'text: What is wrong, and what is whole all the same; for people, may change.',
    hurts: 'HurtBackup[]: The backups that are not whole for it.',
    hint: 'text: What to do.',
  },
  FindingCounts: {
    damage: 'number: Not as it must be.',
    unread: 'number: Could not be read.',
    note: 'number: Harmless.',
  },
  HurtBackup: {
    snapshot: 'text: Id of the restic snapshot.',
    'backup?': 'text: ULID, of a backup of tidemark.',
    'plan?': 'text: The plan that made it.',
    time: 'text: The moment that it shows.',
    paths: 'text[]: What of it cannot be had whole: the first ones. Empty: all of it.',
    count: 'number: How many of them there are.',
  },
  Lock: {
    id: 'text: Its name below `locks/`.',
    state: 'text: `held`, `stale` (nobody holds it any more) or `unreadable`.',
    'by?': 'LockHolder: Whose it is; left out where it cannot be read.',
  },
  LockHolder: {
    time: 'text: When it was taken or refreshed.',
    exclusive: 'boolean: Nobody else may work.',
    hostname: 'text: The machine.',
    username: 'text: The user.',
    pid: 'number: The process.',
    'use?': 'text: `write`, `read`, `prune` or `gate`; left out in locks of other programs.',
  },
  RepairPlan: {
    misplaced: 'MisplacedAction[]: In this order: packs that lie in wrong folders,',
    packs: 'PackAction[]: packs,',
    indexFiles: 'text[]: index files that cannot be read, which are moved aside,',
    snapshots: 'SnapshotAction[]: snapshots,',
    marks: 'text[]: marks of prunes that cannot be read, which are moved aside,',
    pins: 'PinPlan: and pins that cannot be read.',
    left: 'text[]: What no repair can mend, for people.',
    needsBytes: 'bytes: Space that it may need at the destination while it runs.',
    'freeBytes?': 'bytes: That are free there; left out where that is not known.',
  },
  PinPlan: {
    putBack: 'PinDocument[]: What the catalog knows as pinned and no pin says that can be read: set again first.',
    setAside: 'text[]: Damaged pins that are moved aside; none where they may keep what the catalog does not know.',
  },
  PinDocument: {
    format: 'number: 1.',
    backup: 'text: ULID.',
    pinnedAt: 'time: When it was pinned.',
    by: 'text: The host that it was pinned on.',
    'reason?': 'text: Why it is kept.',
    'replaces?': 'text[]: The damaged pins in whose place it is put.',
  },
  MisplacedAction: {
    name: 'text: Where the pack lies.',
    id: 'text: Of the pack.',
    action: 'text: `put-right` or `set-aside`.',
    reason: 'text: Why.',
  },
  PackAction: {
    id: 'text: Of the pack.',
    action: 'text: `drop`, `salvage` or `take-in`.',
    reason: 'text: Why.',
    'lost?': 'LostOfPack: Of one that is salvaged.',
  },
  LostOfPack: {
    isListLost: 'boolean: The list of blobs that ends the pack cannot be read.',
    blobs: 'text[]: The ids of the blobs that do not open.',
  },
  SnapshotAction: {
    id: 'text: Id of the restic snapshot.',
    'backup?': 'text: ULID, of a backup of tidemark.',
    'plan?': 'text: The plan that made it.',
    time: 'text: The moment that it shows; empty where it cannot be read.',
    action: 'text: `rewrite` or `set-aside`.',
    reason: 'text: Why.',
    'replacedBy?': 'text: Id of the snapshot that a repair which was cut off has put in its place.',
    paths: 'text[]: What it loses: the first ones.',
    count: 'number: How many they are.',
  },
  Repaired: {
    destination: 'text: Its name.',
    verdict: 'text: Of the check of the structure that follows; see `repository check`.',
    packs: 'number: Put right.',
    indexFiles: 'number: Put right.',
    notes: 'number: Marks and pins that could not be read, and were moved aside.',
    rewritten: 'number: Backups with a new snapshot, without what is lost.',
    setAside: 'number: Snapshots that were moved aside.',
    lessened: 'number: Of both, those that lost something; an event names each.',
    warnings: 'text[]: What else is to be known.',
  },
  GroupUse: {
    'name?': 'text: Of the plan or the type; left out for what other programs wrote.',
    'further?': 'number: So many further plans and types are counted here: there are very many.',
    backups: 'number: Its backups.',
    'logicalBytes?': 'bytes: Of the files in all of them, each as often as it is there; left out unless `isWhole`.',
    storedBytes: 'bytes: Of the blobs that they need, each once, as stored.',
    uniqueBytes: 'bytes: Of these, what no other plan or type needs.',
    sharedBytes: 'bytes: Of these, what others need too.',
    isWhole: 'boolean: False where something that they need cannot be had and is not counted.',
  },
  BlobTotal: {
    blobs: 'number: Different ones.',
    storedBytes: 'bytes: As they lie in packs.',
    plainBytes: 'bytes: Of what is sealed in them.',
  },
  Waste: {
    bytes: 'bytes: What a prune that leaves no waste in packs frees.',
    wholePacks: 'Stored: In packs that go as they are.',
    markedBytes: 'bytes: Of `bytes`, marked by a prune and waiting for the end of their time.',
    unindexedBytes: 'bytes: Of `bytes`, in packs that no index names.',
    isWritten: 'boolean: Somebody writes: what he has stored so far is counted, too.',
  },
  Stored: { count: 'number: How many.', bytes: 'bytes: Of their files.' },
  IndexTotal: { files: 'number: How many.', entries: 'number: Places of blobs in packs.' },
  SetAside: { objects: 'number: How many.', bytes: 'bytes: Of them.' },
  LockCounts: { held: 'number: Held.', stale: 'number: Nobody holds them.', unreadable: 'number: Damaged.' },
  KeyCounts: { good: 'number: Sound.', weak: 'number: Cheap to guess.', damaged: 'number: Open with no password.' },
  ReadData: {
    packs: 'number: How many were read whole.',
    bytes: 'bytes: Of these.',
    'through?': 'text: The pack behind which the next slice begins.',
    endsRound: 'boolean: With this slice all data was read.',
  },
  Position: { file: 'text: Absolute path.', line: 'number: From 1.', column: 'number: From 1.' },
  Diagnostic: {
    severity: 'text: `error` or `warning`.',
    code: 'text: One of the mistakes in errors.md.',
    summary: 'text: For people; may change.',
    'hint?': 'text: What to do.',
    'position?': 'Position: Where it stands.',
  },
  Backup: {
    id: 'text: ULID; the same for all copies.',
    destination: 'text: Where this copy is.',
    snapshot: 'text: Id of the restic snapshot.',
    plan: 'text: The plan that made it.',
    source: 'text: The source that it shows.',
    driver: 'text: The driver of the source.',
    type: 'text: `logical` or `snapshot`.',
    startedAt: 'time: When it began.',
    endedAt: 'time: When it was complete.',
    consistentAt: 'time: The moment that it shows: its recovery point.',
    sizeBytes: 'bytes: What it restores to.',
    'addedBytes?': 'bytes: What storing it added; not known of an imported one.',
    items: 'number: Files, or tables.',
    partial: 'boolean: Something that should be in it is missing.',
    warnings: 'text[]: What was left out or is remarkable.',
    'pin?': 'Pin: It is kept whatever the retention of its plan says.',
    'expiringAt?': 'time: Since when it is on its way out: nothing is restored from it any more.',
  },
  Pin: {
    at: 'time: When it was pinned.',
    by: 'text: The host that it was pinned on.',
    'reason?': 'text: Why, in the words of whoever did.',
    'object?': 'text: The id of its document in `pins/` of the repository.',
  },
  Job: {
    id: 'text: ULID; of a backup job also the id of the backup.',
    kind: 'text: `backup`, `restore`, `check` or `repair`.',
    state: 'text: One of job-states.md.',
    trigger: 'text: `manual`, `schedule` or `missed`.',
    'source?': 'text: The source that it is about; none of a job that looks after a destination.',
    'plan?': 'text: The plan, of a backup.',
    'destination?': 'text: Where the backup goes or is, or what the job looks after.',
    request: 'any: What to do.',
    attempt: 'number: From 1; 0 before the first.',
    attempts: 'number: How many there may be.',
    queuedAt: 'time: When it was asked for.',
    'notBefore?': 'time: When it is tried again.',
    'startedAt?': 'time: When it began to run.',
    'endedAt?': 'time: When it ended.',
    'progress?': 'Progress: How far it is, or was.',
    'error?': 'JobError: Why it failed, or why it is tried again.',
    'result?': 'any: What came of it.',
    cancelRequested: 'boolean: Somebody wants it to end.',
    'runner?': 'text: The process that runs it: host/pid/…',
  },
  JobError: {
    code: error.code!,
    message: error.message!,
    'subject?': error['subject?']!,
    'hint?': error['hint?']!,
  },
  PrunedDestination: {
    destination: 'text: Its name.',
    decisions: 'CopyDecision[]: What was decided of each backup in it, newest first within a plan.',
    doubts: 'Doubt[]: Of what only a person should let go.',
    'space?': 'any: What a dry run found of its packs.',
    'job?': 'Job: That did it; its `result` tells what was freed.',
    'error?': 'Error: Why it could not be done.',
  },
  CopyDecision: {
    backup: 'text: Id of the backup.',
    snapshot: 'text: Id of its restic snapshot.',
    plan: 'text: The plan that made it.',
    source: 'text: The source that it shows.',
    consistentAt: 'time: The moment that it shows.',
    sizeBytes: 'bytes: What it restores to.',
    partial: 'boolean: Something that should be in it is missing.',
    keep: 'boolean: It stays.',
    reasons: 'Reason[]: All that keep it, or why it goes.',
  },
  Reason: {
    rule: 'text: `last`, `daily`, …, `last-good`, `pinned`, `restoring`, `no-policy`, `nothing` and their like.',
    'period?': 'text: Of rules that count periods.',
    text: 'text: For people; may change.',
  },
  Doubt: {
    plan: 'text: Its name.',
    destination: 'text: Where its backups are.',
    text: 'text: For people; may change.',
  },
  DeletedCopy: {
    backup: 'text: Id of the backup.',
    destination: 'text: Where the copy is or was.',
    snapshot: 'text: Id of its restic snapshot.',
    deleted: 'boolean: It is gone.',
    'why?': 'text: Why it is not gone, or what else is to be known; for people, may change.',
  },
  NotRestored: {
    item: 'text: What was asked for and is not whole in the target: a path, `table shop.orders`, `view shop.totals`.',
    why: 'text: `damaged` in the repository, `refused` by the target, `skipped` for want of something else, read back otherwise (`differs`), or a pattern of `--only` that nothing in the backup matches (`absent`).',
    detail: 'text: The blob and the pack, the words of the target, or what is wanting.',
  },
  RestorePlan: {
    backup: 'PlannedBackup: What is restored.',
    target: 'any: `folder`, absolute, or `source`, the name of one.',
    only: 'text[]: Patterns; none for everything.',
    overwrite: 'boolean: What is there may be replaced.',
    verify: 'boolean: Everything is read back and compared.',
    keepDamaged: 'boolean: Damaged files stay under their names.',
    why: 'text: Which backup was chosen and why; for people, may change.',
    alternatives: 'Alternative[]: What else could have been meant, newest first.',
  },
  PlannedBackup: {
    id: 'text: ULID.',
    destination: 'text: The copy that is read.',
    snapshot: 'text: Id of its restic snapshot.',
    plan: 'text: The plan that made it.',
    source: 'text: The source that it shows.',
    driver: 'text: The driver of the source.',
    consistentAt: 'time: The moment that it shows.',
    partial: 'boolean: Something that should be in it is missing.',
  },
  Alternative: {
    backup: 'PlannedBackup: Not chosen.',
    why: 'text: What tells it from the chosen one; for people, may change.',
    isEqual: 'boolean: As good a choice: on a terminal a person is asked.',
  },
  Progress: {
    step: 'text: What is being done; for people.',
    doneBytes: 'bytes: Read or written so far.',
    'totalBytes?': 'bytes: How many there will be.',
    doneItems: 'number: Files or tables so far.',
    'totalItems?': 'number: How many there will be.',
    at: 'time: When that was so.',
  },
  Event: {
    id: 'text: ULID.',
    kind: 'text: One of events.md.',
    level: 'text: `info`, `warning` or `error`.',
    subject: 'text: An address, or `job.<id>`.',
    text: 'text: For people; may change.',
    count: 'number: How often in a row.',
    firstAt: 'time: The first of them.',
    lastAt: 'time: The latest of them.',
  },
  Entry: {
    path: 'text: The whole path in the backup.',
    type: 'text: `file`, `dir`, `symlink`, `dev`, `chardev`, `fifo` or `socket`.',
    mode: 'number: Permission bits as in stat(2).',
    uid: 'number: Owner.',
    gid: 'number: Group.',
    'user?': 'text: Name of the owner when it was backed up.',
    'group?': 'text: Name of the group.',
    'sizeBytes?': 'bytes: Of a file.',
    changedAt: 'time: When it was last modified.',
    'linkTarget?': 'text: Of a symbolic link.',
  },
  Key: {
    id: 'text: Name of the key file.',
    state:
      'text: `good`; `weak`: made with scrypt parameters that let passwords be tried cheaply; `damaged`: it opens with none.',
    'created?': 'time: When it was added.',
    'username?': 'text: By whom.',
    'hostname?': 'text: Where.',
    'cost?': 'ScryptCost: What trying one password costs.',
    current: 'boolean: It opened the repository just now.',
  },
  ScryptCost: {
    N: 'number: Memory and time.',
    r: 'number: Memory and time.',
    p: 'number: Time.',
  },
  ChangeSet: {
    format: 'number: 1.',
    lineage: 'text: Which catalog it was made for.',
    serial: 'number: Which applied state of it.',
    createdAt: 'time: When.',
    fingerprint: 'text: Equal for equal changes to the same applied state.',
    actions: 'Action[]: In the order in which they are shown; none when there is nothing to do.',
    summary: 'Summary: How many of each.',
  },
  Action: {
    kind: 'text: `refuse`, `add`, `change` or `remove`.',
    address: 'text: `plans.shop-nightly`.',
    reason: 'text: For people; may change.',
    'hint?': 'text: What to do about a refusal.',
    'renamedFrom?': 'text: The address whose state moves here.',
    fields: 'FieldChange[]: What differs.',
    consequences: 'Consequence[]: What will follow.',
    'position?': 'Position: Where it stands in the files.',
    destructive: 'boolean: Never applied without a person.',
    'spec?': 'any: What is applied; secrets as references.',
  },
  FieldChange: {
    path: 'any[]: Names of fields, and numbers of list entries.',
    'before?': 'any: Left out where there was none.',
    'after?': 'any: Left out where there is none any more.',
  },
  Consequence: {
    kind: 'text: `next-run`, `next-backup`, `retention`, `backups-kept`, `backups-moved`, `backups-stranded`, `credentials` or `affects`.',
    text: 'text: For people; may change.',
    'backups?': 'any: `copies` and `sizeBytes` of the backups that it is about.',
    'before?': 'time: The next run as it was; of `retention`, the moment of the oldest good backup that is kept now.',
    'after?': 'time: The same as it will be.',
    'expiring?': 'ExpiringCopy[]: Of `retention`: the backups that go by the change, newest first.',
  },
  ExpiringCopy: {
    id: 'text: ULID of the backup.',
    destination: 'text: Where it is.',
    snapshot: 'text: Id of its restic snapshot.',
    source: 'text: The source that it shows.',
    consistentAt: 'time: The moment that it shows.',
    sizeBytes: 'bytes: What it restores to.',
  },
  Summary: {
    add: 'number: Added.',
    change: 'number: Changed.',
    remove: 'number: Removed.',
    refuse: 'number: Refused.',
    destructive: 'number: Of these, destructive ones.',
  },
  Warning: { address: 'text: Of what.', summary: 'text: For people; may change.', 'hint?': 'text: What to do.' },
  Daemon: {
    owner: 'text: host/pid/…',
    pid: 'number: Its process.',
    host: 'text: Where it runs.',
    version: 'text: Of tidemark.',
    startedAt: 'time: Since when.',
    until: 'time: It counts as dead unless it says otherwise by then.',
    configuration: 'DaemonConfiguration: The files that it follows.',
  },
  DaemonConfiguration: {
    state: 'text: `applied`, `pending` or `invalid`.',
    text: 'text: For people; may change.',
    at: 'time: When they were read.',
  },
  Source: {
    name: 'text: Of the source.',
    driver: 'text: Of the source.',
    state: 'text: `running`, `no plan`, `suspended`, `failing`, `paused`, `waiting`, `scheduled` or `manual`.',
    problems: 'text[]: Why it is not safe; none when it is.',
    'newestBackup?': 'Backup: Of any of its plans.',
    plans: 'Plan[]: Those that back it up.',
  },
  Plan: {
    name: 'text: Of the plan.',
    type: 'text: Of its backups.',
    'schedule?': 'text: Cron; left out for a manual plan.',
    timezone: 'text: Of the schedule.',
    destinations: 'text[]: Where its backups go.',
    'nextRunAt?': 'time: When it starts next.',
    'pausedAt?': 'time: Since when a person has paused it.',
    'suspended?': 'Suspension: While its source or destination is down.',
    'lastSuccessAt?': 'time: When the last complete backup ended.',
    'lastFailureAt?': 'time: When a run failed for good.',
    'lastError?': 'text: Why the latest run did not succeed; left out when it did.',
    'newestBackup?': 'text: Its id.',
    'activeJob?': 'text: Id of the job that runs or waits.',
  },
  Suspension: {
    reason: 'text: `source-down` or `destination-down`.',
    since: 'time: Since when.',
    text: 'text: For people; may change.',
  },
  Destination: {
    name: 'text: Of the destination.',
    driver: 'text: Of the destination.',
    copies: 'number: Of backups in it.',
    sizeBytes: 'bytes: What they restore to, not what they occupy.',
  },
};

/** By the verb: the object on stdout. */
export const outputs: Readonly<Record<string, Shape>> = {
  init: { file: 'text: What was written; absolute.' },
  validate: {
    valid: 'boolean: No errors.',
    files: 'text[]: What was read; absolute.',
    diagnostics: 'Diagnostic[]: All that is wrong or remarkable.',
  },
  plan: shapes.ChangeSet!,
  apply: {
    applied: 'boolean: False when there was nothing to do.',
    serial: 'number: Of the applied state now.',
    changeSet: 'ChangeSet: What was applied.',
    warnings: 'Warning[]: What was found on the way.',
  },
  status: {
    safe: 'boolean: No problems, here and in the sources.',
    problems: 'text[]: Beside those of the sources.',
    serial: 'number: Of the applied state.',
    daemons: 'Daemon[]: That are alive.',
    sources: 'Source[]: All that are applied.',
    destinations: 'Destination[]: All that are applied.',
  },
  backup: { backup: 'text: Its id.', job: 'Job: That made it.' },
  backups: { backups: 'Backup[]: Newest first.' },
  show: { ...shapes.Backup!, manifest: 'any: `.tidemark/manifest.json` as it is in the backup.' },
  'show --tree': { backup: 'text: Its id.', entries: 'Entry[]: Of the folder, by name.' },
  download: {
    backup: 'text: Its id.',
    restorePlan: 'RestorePlan: What was decided.',
    job: 'Job: That wrote it.',
    ...notRestored,
  },
  restore: {
    backup: 'text: The one that was restored.',
    restorePlan: 'RestorePlan: What was decided.',
    job: 'Job: That restored it.',
    ...notRestored,
  },
  pin: { backups: 'Backup[]: Every copy of it, as it is now.' },
  unpin: { backups: 'Backup[]: Every copy of it, as it is now.' },
  prune: {
    dryRun: 'boolean: Nothing was changed.',
    destinations: 'PrunedDestination[]: What became, or would become, of each.',
  },
  delete: { backups: 'DeletedCopy[]: What became of each copy.' },
  restores: { restores: 'Job[]: Newest first.' },
  jobs: { jobs: 'Job[]: Newest first.' },
  events: { events: 'Event[]: Newest first.' },
  cancel: { job: 'Job: As it is now.' },
  pause: {
    plan: 'text: Its name.',
    'pausedAt?': 'time: Since when it is paused.',
    changed: 'boolean: False when it was so already.',
  },
  resume: {
    plan: 'text: Its name.',
    'pausedAt?': 'time: Left out: it is not paused.',
    changed: 'boolean: False when it was so already.',
  },
  'key list': { keys: 'Key[]: Of the repository.' },
  'key add': {
    key: 'text: Id of the key that opens with the password.',
    added: 'boolean: False when a sound key opened with it already.',
    next: 'text: What is left to do, for people; may be empty, may change.',
  },
  'key export': { file: 'text: The recovery kit; absolute.' },
  'key import': {
    repository: 'text: Its id.',
    key: 'text: Id of the key that opens with the password.',
    added: 'boolean: False when it opened already.',
    configMade: 'boolean: `config` of the repository was lost and is made anew.',
  },
  'key remove': { key: 'text: Id of the key that is gone.' },
  'repository check': {
    job: 'text: Id of the job that checked.',
    destination: 'text: Its name.',
    verdict:
      'text: `good`: all that was asked for was looked at and is whole; `damaged`; `incomplete`: something could not be read.',
    findings: 'Finding[]: The gravest first; the first 1,000.',
    counts: 'FindingCounts: How many there are.',
    backups: 'number: In the repository, and those that only the catalog knows.',
    hurtBackups: 'number: Of these, which are not whole.',
    trees: 'number: Different folders in all backups.',
    indexFiles: 'number: How many there are.',
    packs: 'number: How many there are.',
    storedBytes: 'bytes: Of all packs.',
    read: 'ReadData: How much of the data was read.',
    'readWholeAt?': 'time: When all data had been read last, in one check or in slices.',
    warnings: 'text[]: What went wrong on the way out.',
  },
  'repository repair': {
    destination: 'text: Its name.',
    plan: 'RepairPlan: What is to be done; empty where nothing is.',
    'job?': 'text: Id of the job that did it; left out by `--dry-run`.',
    'repaired?': 'Repaired: What came of it.',
  },
  'repository stats': {
    destination: 'text: Its name.',
    verdict: 'text: `whole`, or `incomplete`: something that is there, or should be, is not counted (exit code 4).',
    unseen: 'text[]: What is not counted, for people; the first 100.',
    unseenCount: 'number: How many there are.',
    backups: 'number: Snapshots.',
    foreignBackups: 'number: Of these, which other programs wrote.',
    plans: 'GroupUse[]: What the backups of each plan need.',
    types: 'GroupUse[]: What the backups of each type need.',
    contents: 'BlobTotal: Of files.',
    folders: 'BlobTotal: Of trees.',
    'logicalBytes?': 'bytes: Of the files in all backups, each as often as it is there; left out when `incomplete`.',
    'compressionRatio?': 'number: Plain bytes by stored bytes; left out when `incomplete`.',
    'deduplicationRatio?': 'number: `logicalBytes` by plain bytes of contents; left out when `incomplete`.',
    packs: 'Stored: All that are there.',
    index: 'IndexTotal: Of index files.',
    'waste?': 'Waste: What no backup needs; left out when `incomplete`.',
    setAside: 'SetAside: Damaged objects that repairs moved to `damaged/`.',
    locks: 'LockCounts: Beside the one that this was counted under.',
    keys: 'KeyCounts: How many of each state.',
  },
  'repository unlock': {
    destination: 'text: Its name.',
    locks: 'Lock[]: That were there.',
    removed: 'text[]: Ids of those that were taken away.',
  },
  'catalog import': {
    destination: 'text: Its name.',
    found: 'number: Backups in it.',
    added: 'number: That the catalog did not have.',
    removed: 'number: That the catalog had and the destination has not.',
    kept: 'number: Damaged ones that the catalog knew: it goes on listing them, as partial.',
    snapshotsLost: 'boolean: It holds data and no snapshot, and the catalog knew none: there may have been backups.',
    damaged: 'Error[]: Snapshots that could not be read, or not whole.',
    warnings: 'text[]: What else went wrong.',
  },
};

/** What any verb prints instead when it fails. */
export const failure: Shape = {
  error: 'Error: Why.',
  'diagnostics?': 'Diagnostic[]: With CONFIG_INVALID: everything that is wrong with the files.',
  'errors?': 'Error[]: With PROBE_FAILED: everything that could not be used.',
};

/** Where a value is not of its shape, as lines of text; nothing else than the shape may be in it. */
export function mismatches(value: unknown, shape: Shape, at = '$'): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
  const known = Object.keys(shape).map((name) => name.replace('?', ''));
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  const wrong = Object.entries(shape).flatMap(([name, described]) => {
    const field = (value as Record<string, unknown>)[name.replace('?', '')];
    if (field === undefined) return name.endsWith('?') ? [] : [`${at}.${name} is missing`];
    return wrongType(field, described.slice(0, described.indexOf(':')), `${at}.${name.replace('?', '')}`);
  });
  return [...unknown.map((name) => `${at}.${name} is not documented`), ...wrong];
}

function wrongType(value: unknown, type: string, at: string): string[] {
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((one, index) => wrongType(one, type.slice(0, -2), `${at}[${index}]`));
  }
  const shape = shapes[type];
  if (shape !== undefined) return mismatches(value, shape, at);
  return isPlain(value, type as keyof typeof plainTypes) ? [] : [`${at} is not of type ${type}`];
}

function isPlain(value: unknown, type: keyof typeof plainTypes): boolean {
  if (type === 'any') return true;
  if (type === 'text') return typeof value === 'string';
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'time') return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
  return typeof value === 'number' && (type === 'number' || Number.isSafeInteger(value));
}
