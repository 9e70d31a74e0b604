import type { PackFacts } from './pack-table.ts';

/** How much of the data to read: a share of its bytes (0 to 1), so many bytes, or none. */
export type ReadAmount = { readonly share: number } | { readonly bytes: number } | 'none';

export interface Slice {
  readonly packs: readonly PackFacts[];
  /** The id in hex of the last pack, for the next slice to begin behind. Absent where nothing is to be read. */
  readonly through?: string;
  /** Behind its last pack none is left: the round is complete. */
  readonly endsRound: boolean;
}

/**
 * The next packs to read, in the order of their ids, behind the one where the last slice ended; from the start again where
 * none is left. At least one, and none twice. Packs that come and go meanwhile change nothing for the others: in one round
 * every pack is read that is there all the time. Pure.
 */
export function nextSlice(packs: Iterable<PackFacts>, amount: ReadAmount, after: string | undefined): Slice {
  if (amount === 'none') return { packs: [], endsRound: false };
  const sorted = [...packs].filter(isReadable).sort((a, b) => (a.id < b.id ? -1 : 1));
  const total = sorted.reduce((sum, pack) => sum + pack.storedBytes!, 0);
  const wantedBytes = 'share' in amount ? total * amount.share : amount.bytes;
  const behind = after === undefined ? sorted : sorted.filter(({ id }) => id > after);
  const left = behind.length > 0 ? behind : sorted;
  const most = wantedBytes >= total ? sorted : left; // all of it is all of it, wherever the last slice ended
  const taken = most.slice(0, countUpTo(most, wantedBytes));
  const through = taken.at(-1)?.id;
  return { packs: taken, ...(through === undefined ? {} : { through }), endsRound: through === sorted.at(-1)?.id };
}

/** Also one that no index names: a backup may need it, of whose index it was lost. */
function isReadable({ storedBytes }: PackFacts): boolean {
  return storedBytes !== undefined;
}

/** How many of these come to so many bytes. */
function countUpTo(packs: readonly PackFacts[], wantedBytes: number): number {
  let [count, bytes] = [0, 0];
  while (count < packs.length && (count === 0 || bytes < wantedBytes)) bytes += packs[count++]!.storedBytes!;
  return count;
}
