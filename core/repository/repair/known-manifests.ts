import type { Manifest } from '../../driver/index.ts';
import type { SnapshotFacts } from '../check/snapshot-list.ts';
import type { Survey, SurveyOptions } from '../check/survey.ts';
import { manifestMisfit } from '../manifest.ts';
import type { KnownPin } from '../pins.ts';

export interface PlanRepairOptions extends SurveyOptions {
  /** See `RewriteOptions`; without it no manifest is known. */
  readonly manifestOf?: (snapshot: string) => Promise<Manifest | undefined>;
  /** What the catalog knows as pinned. */
  readonly knownPins?: readonly KnownPin[];
}

/** The snapshots whose manifest the repository lost and the catalog has. */
export async function knownManifests(
  { badManifests }: Survey,
  manifestOf: PlanRepairOptions['manifestOf'] = async () => undefined,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const { snapshot } of badManifests) {
    if (isManifestOf(await manifestOf(snapshot.id), snapshot)) known.add(snapshot.id);
  }
  return known;
}

/** Tags tell whose it must be; who took them away with restic has a backup of tidemark's still. */
export function isManifestOf(
  manifest: Manifest | undefined,
  snapshot: Pick<SnapshotFacts, 'backup' | 'time'>,
): manifest is Manifest {
  return manifest !== undefined && manifestMisfit(manifest, snapshot) === undefined;
}
