import { firstOf } from '../../first-of.ts';
import type { FindingContext } from './catalog-view.ts';
import type { Finding } from './finding.ts';
import type { Survey } from './survey.ts';

/** What tells of backups that no snapshot is of, where the catalog does not. Pure. */
export function lostFindings(survey: Survey, context: FindingContext): Finding[] {
  return [...noSnapshotFinding(survey, context), ...lonePinFindings(survey, context)];
}

const namedRoots = 12;

function noSnapshotFinding(
  { snapshots, packs, lostRoots }: Survey,
  { isEmptied, known, destination }: FindingContext,
): Finding[] {
  const isThere = snapshots.snapshots.length + snapshots.bad.length > 0;
  if (isThere || isEmptied === true || known.length > 0 || packs.count === 0) return [];
  const names = lostRoots.map(({ id, plan, consistentPoint }) => `${id} of ${plan}, ${consistentPoint.time}`);
  const text =
    names.length === 0
      ? 'it holds data, and neither a snapshot nor a manifest: a first backup that runs or was cut off leaves that, or else all is lost that told of backups'
      : `it holds data and no snapshot, and the catalog did not see a last one go; it has the manifests of ${names.length}: ${firstOf(names, namedRoots, '; ')}; whether these were deleted, cut off or lost nobody can tell`;
  return [
    {
      kind: 'snapshots-none',
      severity: 'unread',
      object: 'snapshots/',
      text,
      hurts: [],
      hint: `After a first backup that did not end, run the next one: nothing is lost. If there were backups, bring \`snapshots/\` back from a copy of the repository and run \`tidemark catalog import ${destination}\`; without a copy \`restic recover\` makes one snapshot of all that has none, from which files can be restored.`,
    },
  ];
}

/** Tidemark deletes nothing that is pinned. While a snapshot cannot be read, the backup may be that one. */
function lonePinFindings({ lonePins, snapshots }: Survey, { known, destination }: FindingContext): Finding[] {
  if (snapshots.bad.length > 0) return [];
  const listed = new Set(known.map(({ snapshot, backup = snapshot }) => backup)); // told as gone
  return lonePins
    .filter(({ backup }) => !listed.has(backup))
    .map(({ id, backup }) => ({
      kind: 'pin-alone',
      severity: 'damage',
      object: `pins/${id}`,
      text: `it keeps backup ${backup}, of which there is no snapshot: it was lost, or another program removed it`,
      hurts: [],
      hint: `Bring \`snapshots/\` back from a copy of the repository and run \`tidemark catalog import ${destination}\`. If the backup was removed on purpose, delete the file of the pin.`,
    }));
}
