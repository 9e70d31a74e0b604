import { formatBytes } from './units.ts';

/** What a prune did to the space that a repository takes. */
export interface FreedSpace {
  /** Deleted, less what was written anew for it. */
  readonly netBytes: number;
  readonly removedBytes: number;
  readonly markedBytes: number;
  readonly copiedBytes: number;
}

/** For people: freed is what there is less than before. */
export function freedText({ netBytes, removedBytes, markedBytes, copiedBytes }: FreedSpace): string {
  const net = netBytes < 0 ? `${formatBytes(-netBytes)} taken` : `${formatBytes(netBytes)} freed`;
  const parts = `${formatBytes(removedBytes)} deleted, ${formatBytes(copiedBytes)} written anew`;
  const later = `${formatBytes(markedBytes)} marked to be freed later`;
  return copiedBytes === 0 ? `${net}, ${later}` : `${net} (${parts}), ${later}`;
}

/** For people: that backups are there all the same, and why the first is. */
export function notDeletedText(notExpired: readonly { readonly why: string }[]): readonly string[] {
  const [first] = notExpired;
  if (first === undefined) return [];
  const backups = notExpired.length === 1 ? '1 backup was' : `${notExpired.length} backups were`;
  return [`${backups} not deleted: ${first.why || 'it is there all the same'}`];
}
