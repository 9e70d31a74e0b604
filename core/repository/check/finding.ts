/** Every kind of thing that a check finds. `docs/reference/repository-findings.md` is generated from this table. */
export const findingKinds = {
  'key-damaged': 'A key file is damaged: its password does not open the repository any more.',
  'key-weak': 'A key file makes its password cheap to guess for who has the file (a note).',
  'index-damaged': 'An index file cannot be read.',
  'index-incomplete': 'Backups need what lies in packs that no index names.',
  'pack-missing': 'The index names a pack that is not there.',
  'pack-misplaced': 'A pack lies in a folder that is not its own, where nobody finds it.',
  'pack-damaged':
    'A pack is there and is not what it must be: blobs that do not open, a wrong size, a damaged list, other bytes.',
  'pack-disagrees': 'A pack lists other blobs than the index says.',
  'pack-unread': 'A pack could not be read, so that nothing is known of it.',
  'pack-unindexed': 'Packs that no index names and no backup needs (a note).',
  'blob-missing': 'Backups need what neither the index nor any pack has.',
  'tree-malformed': 'What should be a folder of a backup is none.',
  'snapshot-damaged': 'A snapshot cannot be read, and with it the backup.',
  'snapshot-gone': 'The catalog lists a backup that the repository does not have.',
  'snapshot-unread': 'A snapshot could not be read, so that nothing is known of it.',
  'snapshots-none': 'There is data and no snapshot: if there were backups, nobody can say which.',
  'manifest-damaged': 'The manifest of a backup is missing, or is none, or another backup’s.',
  'mark-damaged': 'A mark of a prune cannot be read: no backup is made until it is cleared.',
  'pin-damaged': 'A pin cannot be read: nobody knows which backup it keeps, and none is deleted.',
  'pin-alone': 'A pin keeps a backup of which there is no snapshot.',
  'backup-twice': 'Several snapshots are of one backup (a note).',
} as const;
export type FindingKind = keyof typeof findingKinds;

/** The table as Markdown. */
export function findingReference(): string {
  const rows = Object.entries(findingKinds).map(([kind, text]) => `| \`${kind}\` | ${text} |`);
  return ['| finding | meaning |', '|---|---|', ...rows].join('\n');
}

/** One thing that a check found. */
export interface Finding {
  readonly kind: FindingKind;
  /** `damage`: not as it must be. `unread`: it could not be looked at, so nothing is known. `note`: harmless. */
  readonly severity: 'damage' | 'unread' | 'note';
  /** As the store names it: `data/3f/3fa1…`, `index/…`, `snapshots/…`; or what it is where no object stands for it. */
  readonly object: string;
  /** What is wrong, and what is whole all the same. */
  readonly text: string;
  readonly hurts: readonly HurtBackup[];
  readonly hint: string;
}

/** A backup that cannot be restored whole, and what of it. */
export interface HurtBackup {
  readonly snapshot: string;
  /** Tidemark's own id and plan; absent in what other programs wrote. */
  readonly backup?: string;
  readonly plan?: string;
  readonly time: string;
  /** The first ones, from the root of the backup; folders end in `/`. Empty: all of it, or that is not known. */
  readonly paths: readonly string[];
  readonly count: number;
}

/** A backup that the catalog lists in the repository. */
export type KnownBackup = Pick<HurtBackup, 'snapshot' | 'backup' | 'plan' | 'time'>;
