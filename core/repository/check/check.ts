import type { RepositoryParts, WorkOptions } from '../parts.ts';
import { type CatalogView, type FindingContext, stillKnown } from './catalog-view.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';
import { type Survey, type SurveyOptions, survey } from './survey.ts';

export interface CheckOptions extends SurveyOptions, FindingContext, CatalogView {}

/** What a check came to. */
export interface CheckReport {
  /** `good`: everything that was to be looked at was, and nothing is damaged. `incomplete`: something could not be read. */
  readonly verdict: 'good' | 'damaged' | 'incomplete';
  /** The gravest first; of very many the first ones. */
  readonly findings: readonly Finding[];
  readonly counts: { readonly damage: number; readonly unread: number; readonly note: number };
  /** Those of the repository and of the catalog, and how many of them are hurt. */
  readonly backups: number;
  readonly hurtBackups: number;
  /** Each of them, and what it lacks: by the id of its snapshot. */
  readonly hurt: readonly { readonly snapshot: string; readonly text: string }[];
  readonly trees: number;
  readonly indexFiles: number;
  readonly packs: number;
  readonly storedBytes: number;
  /** Of the data. `through`: the pack behind which the next slice begins. */
  readonly read: {
    readonly packs: number;
    readonly bytes: number;
    readonly through?: string;
    readonly endsRound: boolean;
  };
  /** Packs, by their ids in hex, that the next check must read whatever its slice. */
  readonly suspects: readonly string[];
}

const mostListed = 1_000;

/** Surveys a repository and says what was found. Throws what is no damage: then nothing is known. */
export async function check(
  parts: Pick<RepositoryParts, 'store' | 'objects' | 'key'>,
  options: CheckOptions,
  work: WorkOptions,
): Promise<CheckReport> {
  const seen = await survey(parts, options, work);
  const { snapshots, bad } = seen.snapshots;
  const there = new Set([...snapshots, ...bad].map(({ id }) => id));
  const known = await stillKnown(there, options);
  const isEmptied = there.size === 0 && (await options.sawEmptied?.());
  return reportOf(seen, { ...options, known, isEmptied });
}

export function reportOf(seen: Survey, context: FindingContext): CheckReport {
  const findings = findingsOf(seen, context);
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length;
  const counts = { damage: count('damage'), unread: count('unread'), note: count('note') };
  const { slice, packs, bytes } = seen.read;
  const { snapshots, bad } = seen.snapshots;
  const all = new Set([...snapshots, ...bad].map(({ id }) => id).concat(context.known.map(({ snapshot }) => snapshot)));
  return {
    verdict: counts.damage > 0 ? 'damaged' : counts.unread > 0 ? 'incomplete' : 'good',
    findings: findings.slice(0, mostListed),
    counts,
    backups: all.size,
    hurtBackups: new Set(findings.flatMap(({ hurts }) => hurts.map(({ snapshot }) => snapshot))).size,
    hurt: hurtTexts(findings.filter(({ severity }) => severity === 'damage')),
    trees: seen.trees,
    indexFiles: seen.indexFiles + seen.badIndexFiles.length,
    packs: seen.packs.count,
    storedBytes: seen.storedBytes,
    read: { packs, bytes, ...(slice.through && { through: slice.through }), endsRound: slice.endsRound },
    suspects: seen.badPacks.filter(({ what }) => what !== 'missing').map(({ pack }) => pack.id),
  };
}

const shownPaths = 3;

/** In the words of the first finding of each. */
function hurtTexts(findings: readonly Finding[]): CheckReport['hurt'] {
  const texts = new Map<string, string>();
  for (const { object, text, hurts } of findings) {
    for (const { snapshot, paths, count } of hurts) {
      if (texts.has(snapshot)) continue;
      const more = count > shownPaths ? `, and ${count - shownPaths} more` : '';
      const lost = paths.length === 0 ? '' : ` (lost: ${paths.slice(0, shownPaths).join(', ')}${more})`;
      texts.set(snapshot, `${object}: ${text}${lost}`);
    }
  }
  return [...texts].map(([snapshot, text]) => ({ snapshot, text }));
}
