import { fromHex } from '../format/blob-id.ts';
import { afterUpgrade } from '../format-one.ts';
import { packName } from '../pack-name.ts';
import type { FindingContext } from './catalog-view.ts';
import type { Finding, HurtBackup, KnownBackup } from './finding.ts';
import type { HurtEntry } from './hurt-walk.ts';
import { lostFindings } from './lost-findings.ts';
import type { PackDamage } from './read-packs.ts';
import type { SnapshotFacts } from './snapshot-list.ts';
import type { HurtPaths, HurtSnapshot, Survey } from './survey.ts';

/** What is to be said of a repository that was surveyed: the gravest first. Pure. */
export function findingsOf(survey: Survey, context: FindingContext): Finding[] {
  const all = [
    ...keyFindings(survey, context),
    ...snapshotFindings(survey, context),
    ...lostFindings(survey, context),
    ...indexFindings(survey, context),
    ...misplacedFindings(survey, context),
    ...packFindings(survey, context),
    ...treeFindings(survey, context),
    ...noteFindings(survey, context),
  ];
  const weight = { damage: 0, unread: 1, note: 2 };
  all.sort((a, b) => weight[a.severity] - weight[b.severity]);
  return context.formatVersion === 1 ? all.map((one) => ({ ...one, hint: afterUpgrade(one.hint) })) : all;
}

function keyFindings({ keys }: Survey, { destination }: FindingContext): Finding[] {
  return keys.flatMap(({ id, state, cost }): Finding[] => {
    const common = { object: `keys/${id}`, hurts: [] };
    if (state === 'good') return [];
    if (state === 'weak') {
      const text = `its password is cheap to guess for who has the file: scrypt with N ${cost?.N}, r ${cost?.r}, p ${cost?.p}`;
      const hint = `Add the password anew with \`tidemark key add ${destination}\`, and remove this key with \`tidemark key remove ${destination} ${id.slice(0, 8)}\`.`;
      return [{ ...common, kind: 'key-weak', severity: 'note', text, hint }];
    }
    const text = 'it is damaged: its password does not open the repository any more; that of another key does';
    const hint = `Bring the file back from a copy of the repository, or remove it with \`tidemark key remove ${destination} ${id.slice(0, 8)}\` and add its password anew with \`tidemark key add ${destination}\`.`;
    return [{ ...common, kind: 'key-damaged', severity: 'damage', text, hint }];
  });
}

function snapshotFindings(survey: Survey, { destination, known }: FindingContext): Finding[] {
  const { snapshots, bad } = survey.snapshots;
  const byId = new Map(known.map((one) => [one.snapshot, one]));
  const seen = new Set([...snapshots, ...bad].map(({ id }) => id));
  const damaged = bad.map(({ id, error }): Finding => {
    const isDenied = error.code === 'DESTINATION_DENIED';
    return {
      kind: isDenied ? 'snapshot-unread' : 'snapshot-damaged',
      severity: isDenied ? 'unread' : 'damage',
      object: `snapshots/${id}`,
      text: `the backup cannot be read: ${error.message}; its data is in the packs still`,
      hurts: hurtKnown(byId.get(id)),
      hint: isDenied
        ? 'Let this user read the file, and check again.'
        : `Bring the file back from a copy of the repository. Without one the backup is lost; \`tidemark repository repair ${destination}\` moves the file aside.`,
    };
  });
  const gone = known.filter(({ snapshot }) => !seen.has(snapshot));
  return [
    ...damaged,
    ...gone.map((one) => goneFinding(one, destination)),
    ...survey.badManifests.map((one) => manifestFinding(one, destination)),
    ...twice(snapshots),
  ];
}

function goneFinding(known: KnownBackup, destination: string): Finding {
  return {
    kind: 'snapshot-gone',
    severity: 'damage',
    object: `snapshots/${known.snapshot}`,
    text: 'the catalog lists this backup, and the repository does not have it any more',
    hurts: hurtKnown(known),
    hint: `If it was removed on purpose, \`tidemark catalog import ${destination}\` makes the catalog forget it; otherwise bring the file back from a copy of the repository.`,
  };
}

function manifestFinding({ snapshot, text }: Survey['badManifests'][number], destination: string): Finding {
  return {
    kind: 'manifest-damaged',
    severity: 'damage',
    object: `snapshots/${snapshot.id}`,
    text: `${text}: it does not restore into its source; its files can be restored into a folder`,
    hurts: [{ ...named(snapshot), paths: ['/.tidemark/manifest.json'], count: 1 }],
    hint: `\`tidemark repository repair ${destination}\` takes the manifest from the catalog where the catalog has it. Where it has none, restore what is needed into a folder; \`restic forget ${snapshot.id.slice(0, 8)}\` then removes the backup.`,
  };
}

function twice(snapshots: readonly SnapshotFacts[]): Finding[] {
  const byBackup = Map.groupBy(
    snapshots.filter(({ backup }) => backup !== undefined),
    ({ backup }) => backup!,
  );
  return [...byBackup.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({
      kind: 'backup-twice',
      severity: 'note',
      object: `snapshots/${same.at(-1)!.id}`,
      text: `${same.length} snapshots are of one backup, ${same[0]!.backup}`,
      hurts: [],
      hint: 'Each of them restores; `restic forget` with the id of one removes it.',
    }));
}

function indexFindings(survey: Survey, { destination }: FindingContext): Finding[] {
  const hint = `\`tidemark repository repair ${destination}\` makes the index anew from the packs; restores find what it lacks without it.`;
  const files = survey.badIndexFiles.map(
    ({ id, error }): Finding => ({
      kind: 'index-damaged',
      severity: 'damage',
      object: `index/${id}`,
      text: `it cannot be read: ${error.message}`,
      hurts: [],
      hint,
    }),
  );
  const { unindexed, whereabouts } = survey;
  if (unindexed.packs === 0) return files;
  const packs = `${unindexed.packs} packs of ${unindexed.bytes} bytes`;
  if (whereabouts.needsFound) {
    const text = `backups need what lies in packs that no index names (${packs}): it is there, and stock restic does not find it`;
    return [...files, { kind: 'index-incomplete', severity: 'damage', object: 'index/', text, hurts: [], hint }];
  }
  const text = `no index names ${packs}, and no backup needs them: a running backup has just stored them, or one left them that was cut off`;
  const harmless = 'Nothing needs to be done: `tidemark prune` removes what nobody needs.';
  return [...files, { kind: 'pack-unindexed', severity: 'note', object: 'data/', text, hurts: [], hint: harmless }];
}

function misplacedFindings({ misplaced, packs }: Survey, context: FindingContext): Finding[] {
  return misplaced.map(({ id, name }): Finding => {
    const number = packs.find(fromHex(id));
    const isTwice = number !== undefined && !packs.isMissing(number);
    const where = `a pack lies here that belongs to ${packName(id)}, and nobody finds it here`;
    return {
      kind: 'pack-misplaced',
      severity: isTwice ? 'note' : 'damage',
      object: name,
      text: isTwice ? `${where}; one of its name is there, too` : `${where}: what only it has counts as lost`,
      hurts: [],
      hint: misplacedHint(name, context),
    };
  });
}

function misplacedHint(name: string, { destination }: FindingContext): string {
  return `\`tidemark repository repair ${destination}\` puts ${name} where it belongs, and what it has can be read again.`;
}

function packFindings(survey: Survey, context: FindingContext): Finding[] {
  const bad = new Map(survey.badPacks.map((damage) => [damage.pack.number, damage]));
  for (const number of hurtPacks(survey)) {
    if (!bad.has(number)) bad.set(number, unreadTree(survey, number));
  }
  const elsewhere = new Map(survey.misplaced.map(({ id, name }) => [id, name]));
  const exchanged = new Map(survey.badPacks.flatMap(({ pack, bytesOf }) => (bytesOf ? [[bytesOf, pack.id]] : [])));
  return [...bad.values()].map((damage) => {
    const found = packFinding(damage, hurtBy(survey, damage.pack.number), context);
    const name = damage.what === 'missing' ? elsewhere.get(damage.pack.id) : undefined;
    if (name !== undefined) return { ...found, hint: misplacedHint(name, context) };
    return exchangedFinding(found, damage, exchanged.get(damage.pack.id), context);
  });
}

/** Whose bytes lie here, and where those lie that belong here. */
function exchangedFinding(
  found: Finding,
  { bytesOf }: PackDamage,
  elsewhere: string | undefined,
  { destination }: FindingContext,
): Finding {
  const here = bytesOf === undefined ? '' : `; its bytes are those of ${packName(bytesOf)}`;
  if (elsewhere === undefined) return { ...found, text: `${found.text}${here}` };
  const text = `${found.text}${here}; what belongs here lies whole at ${packName(elsewhere)}, where nobody finds it`;
  const hint = `\`tidemark repository repair ${destination}\` brings it back: nothing is lost by it. Restores do not find it until then.`;
  return { ...found, text, hint };
}

/** A pack that was not due, in which a tree turned out to be bad. */
function unreadTree(survey: Survey, number: number): PackDamage {
  return { pack: survey.packs.facts(number), what: 'damaged', badBlobs: 1, blobs: 0 };
}

function hurtPacks({ hurt }: Survey): Set<number> {
  return new Set(hurt.flatMap(({ causes }) => [...causes.keys()].filter((cause) => typeof cause === 'number')));
}

function packFinding(damage: PackDamage, hurts: readonly HurtBackup[], { destination }: FindingContext): Finding {
  const { pack, what, error } = damage;
  const object = packName(pack.id);
  if (what === 'denied') {
    const text = `it could not be read, so nothing is known of it: ${error?.message ?? what}`;
    return {
      kind: 'pack-unread',
      severity: 'unread',
      object,
      text,
      hurts,
      hint: 'Let this user read the file, and check again.',
    };
  }
  const harm = hurts.length === 0 ? '; no backup loses anything by it' : '';
  const kind = what === 'missing' ? 'pack-missing' : what === 'header differs' ? 'pack-disagrees' : 'pack-damaged';
  return {
    kind,
    severity: 'damage',
    object,
    text: `${packText(damage)}${harm}`,
    hurts,
    hint: packHint(hurts, destination),
  };
}

function packText({ pack, what, badBlobs, blobs }: PackDamage): string {
  const { indexedBytes, storedBytes } = pack;
  const size =
    indexedBytes === undefined || indexedBytes === storedBytes
      ? ''
      : `, and its size is ${storedBytes} bytes where the index says ${indexedBytes}`;
  switch (what) {
    case 'missing':
      return 'the index names it, and it is gone';
    case 'damaged':
      return blobs === 0
        ? 'a folder in it cannot be read'
        : `${badBlobs} of ${blobs} blobs in it cannot be read${size}`;
    case 'header differs':
      return `its own list of blobs is not the one of the index${size}`;
    case 'header damaged':
      return `its own list of blobs is damaged, its blobs are whole${size}`;
    default:
      return `its bytes are not those that its name stands for, its blobs are whole${size}`;
  }
}

function packHint(hurts: readonly HurtBackup[], destination: string): string {
  const repair = `\`tidemark repository repair ${destination}\``;
  if (hurts.length === 0) return `${repair} puts it right.`;
  return `Bring the file back from a copy of the repository. Without one, restore what is needed of these backups first (\`--keep-damaged\` for what is left of a file), then ${repair} leaves out of them what is lost, and says so in each.`;
}

function treeFindings(survey: Survey, { destination }: FindingContext): Finding[] {
  const missing = hurtBy(survey, 'unindexed');
  const malformed = hurtBy(survey, 'malformed');
  const hint = packHint([...missing, ...malformed], destination);
  return [
    ...(missing.length === 0
      ? []
      : [
          {
            kind: 'blob-missing',
            severity: 'damage',
            object: 'index/',
            text: 'backups need what neither the index nor any pack has',
            hurts: missing,
            hint,
          } satisfies Finding,
        ]),
    ...(malformed.length === 0
      ? []
      : [
          {
            kind: 'tree-malformed',
            severity: 'damage',
            object: 'data/',
            text: 'folders of backups are stored as what is no folder',
            hurts: malformed,
            hint,
          } satisfies Finding,
        ]),
  ];
}

function noteFindings({ badNotes }: Survey, { destination }: FindingContext): Finding[] {
  return badNotes.map(({ kind, id, error }): Finding => {
    const common = { severity: 'damage', object: `${kind}/${id}`, hurts: [] } as const;
    if (kind === 'marks') {
      const text = `it cannot be read, and no backup is made until it is cleared: ${error.message}`;
      return {
        ...common,
        kind: 'mark-damaged',
        text,
        hint: `\`tidemark repository repair ${destination}\` or \`tidemark prune\` clears it.`,
      };
    }
    const text = `it cannot be read, so nobody knows which backup it keeps, and none is deleted: ${error.message}`;
    const hint = `\`tidemark repository repair ${destination}\` puts the pins that the catalog knows in the place of damaged ones. Where it knows none, pin again what is to stay, then delete the file and run \`tidemark catalog import ${destination}\`.`;
    return { ...common, kind: 'pin-damaged', text, hint };
  });
}

function hurtBy({ hurt }: Survey, cause: HurtEntry['cause']): HurtBackup[] {
  return hurt.flatMap((one) => {
    const paths = one.causes.get(cause);
    return paths === undefined ? [] : [hurtBackup(one, paths)];
  });
}

function hurtBackup({ snapshot }: HurtSnapshot, { paths, count }: HurtPaths): HurtBackup {
  return { ...named(snapshot), paths, count };
}

function named({ id, backup, plan, time }: SnapshotFacts): KnownBackup {
  return { snapshot: id, time, ...(backup && { backup }), ...(plan && { plan }) };
}

function hurtKnown(known: KnownBackup | undefined): HurtBackup[] {
  return known === undefined ? [] : [{ ...known, paths: [], count: 0 }];
}
