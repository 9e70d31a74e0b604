import type { FormatVersion } from '../objects.ts';
import type { KnownBackup } from './finding.ts';

/** What the catalog says of a repository: of what is gone it alone knows that it was there. */
export interface CatalogView {
  /** What it lists, as of before the repository was looked at. */
  readonly known: readonly KnownBackup[];
  /** What of `known` it lists still, asked where a snapshot is gone: it may have been deleted meanwhile. */
  readonly knownNow?: () => Promise<readonly KnownBackup[]>;
  /** Whether it saw the last backup go: what is left needs no snapshot. Asked where there is none. */
  readonly sawEmptied?: () => Promise<boolean>;
}

export interface FindingContext extends Pick<CatalogView, 'known'> {
  /** For hints: the name that the verbs know it by. */
  readonly destination: string;
  /** The last backup was seen to go. */
  readonly isEmptied?: boolean;
  readonly formatVersion?: FormatVersion;
}

/** `known` without what was deleted since it was asked for. `there`: the ids of the snapshots that were seen. */
export async function stillKnown(
  there: ReadonlySet<string>,
  { known, knownNow }: CatalogView,
): Promise<readonly KnownBackup[]> {
  if (knownNow === undefined || known.every(({ snapshot }) => there.has(snapshot))) return known;
  const now = new Set((await knownNow()).map(({ snapshot }) => snapshot));
  return known.filter(({ snapshot }) => there.has(snapshot) || now.has(snapshot));
}
