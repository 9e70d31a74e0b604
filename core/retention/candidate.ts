/** As much of a copy of a backup as retention looks at. */
export interface Candidate {
  readonly id: string;
  readonly consistentAt: Date;
  /** It lacks something, by its own word. */
  readonly partial: boolean;
  readonly pinned: boolean;
  /** A restore that waits or runs needs it. */
  readonly restoring: boolean;
  /** It was decided before that it goes, and it may be gone already. */
  readonly expiring: boolean;
  /** An import brought it in, and no person has agreed yet to what goes of its history. */
  readonly unseen?: boolean;
  /** It was made after others that are dated later, and no person has agreed yet to what goes of its history. */
  readonly behind?: boolean;
}
