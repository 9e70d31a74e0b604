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
