/** What is remembered of the checks of a destination's repository, so that each goes on where the last one ended. */
export interface CheckStatus {
  readonly destination: string;
  /** When the repository was last looked at as a whole, and what came of it. */
  readonly checkedAt?: Date;
  readonly verdict?: 'good' | 'damaged' | 'incomplete';
  /** What checks found and no check has found mended yet. */
  readonly damage?: string;
  /** Data is read in rounds, in the order of the packs' ids: the id in hex of the last one that was read. */
  readonly readThrough?: string;
  /** When this round began. */
  readonly roundSince?: Date;
  /** When all data had been read last. */
  readonly readWholeAt?: Date;
  /** Packs in which something was found: each check reads them again. `all`: too many to name. */
  readonly suspects: readonly string[] | 'all';
}

export interface Checks {
  /** One that says nothing where nothing was checked yet. */
  get(destination: string): Promise<CheckStatus>;
  /** Replaces it, unless the destination is not applied any more. Goes and is renamed with it. */
  put(status: CheckStatus): Promise<void>;
}
