import type { PatternRelations, Selection } from '../driver/index.ts';
import { nothingHeld } from './no-backup.ts';
import type { Alternative, Candidate, PlannedBackup, RestorePlan, RestoreWish } from './plan.ts';
import { askedPart, includesAll, selectionText } from './selection.ts';

/** How patterns relate, by the driver that made a backup. */
export type PatternsOf = (driver: string) => PatternRelations;

/**
 * Decides a restore. Of the candidates (at least one; only those that the wish's source, backup, plan and time leave),
 * those that hold all that is asked for come first, else those that none holds more than; of these whole ones, and of
 * these the newest. Throws BACKUP_NOT_FOUND when none can hold anything that is asked for.
 */
export function makeRestorePlan(
  candidates: readonly Candidate[],
  wish: RestoreWish,
  patternsOf: PatternsOf,
): RestorePlan {
  const held = newestOfEach(candidates).flatMap((one) => holding(one, wish.only, patternsOf));
  if (held.length === 0) throw nothingHeld(candidates, wish.only);
  const pool = widest(held);
  const chosen = pool.find(({ candidate }) => !candidate.partial) ?? pool[0]!;
  const alternatives = held.flatMap((one) => alternative(one, chosen, pool.includes(one)));
  const { target, only, overwrite, verify, keepDamaged } = wish;
  const options = { target, only, overwrite, verify, keepDamaged };
  return { backup: planned(chosen.candidate), ...options, why: whyChosen(chosen, wish, alternatives), alternatives };
}

/** The same restore of an alternative, which a person has chosen. */
export function planWith(plan: RestorePlan, { backup }: Alternative): RestorePlan {
  return { ...plan, backup, why: 'it was chosen by hand', alternatives: [] };
}

/** A candidate with the part of it that is asked for. */
interface Held {
  readonly candidate: Candidate;
  readonly part: Selection;
  /** It certainly holds everything that is asked for. */
  readonly holdsAll: boolean;
  readonly patterns: PatternRelations;
}

/** Of backups that differ in nothing but their time the newest; newest first. */
function newestOfEach(candidates: readonly Candidate[]): readonly Candidate[] {
  const ordered = candidates.toSorted(
    (a, b) => b.consistentAt.getTime() - a.consistentAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0),
  );
  const kinds = new Map<string, Candidate>();
  for (const one of ordered) {
    const kind = JSON.stringify([one.plan, one.driver, one.partial, one.selection.include, one.selection.exclude]);
    if (!kinds.has(kind)) kinds.set(kind, one);
  }
  return [...kinds.values()];
}

function holding(candidate: Candidate, only: readonly string[], patternsOf: PatternsOf): Held[] {
  const patterns = patternsOf(candidate.driver);
  const part = askedPart(candidate.selection, only, patterns);
  if (part === undefined) return [];
  return [{ candidate, part, patterns, holdsAll: includesAll(part, { include: only, exclude: [] }, patterns) }];
}

/** Those that hold all that is asked for; without one, those that no other holds more than. */
function widest(held: readonly Held[]): readonly Held[] {
  const all = held.filter(({ holdsAll }) => holdsAll);
  if (all.length > 0) return all;
  return held.filter((one) => !held.some((other) => holdsMore(other, one)));
}

function holdsMore(one: Held, other: Held): boolean {
  return holdsAsMuch(one, other) && !holdsAsMuch(other, one);
}

function holdsAsMuch({ part, patterns }: Held, other: Held): boolean {
  return includesAll(part, other.part, patterns);
}

/** What is said of a backup that was not chosen; nothing of one that is older and holds no more. */
function alternative(one: Held, chosen: Held, isWidest: boolean): Alternative[] {
  if (one === chosen) return [];
  const backup = planned(one.candidate);
  const { partial } = one.candidate;
  const newerMs = one.candidate.consistentAt.getTime() - chosen.candidate.consistentAt.getTime();
  if (!chosen.holdsAll && !holdsAsMuch(chosen, one)) {
    const why = `it holds another part: ${selectionText(one.part)}${partial ? ', and is partial' : ''}`;
    return isWidest ? [{ backup, why, isEqual: true }] : [];
  }
  if (!isWidest) {
    return newerMs > 0 ? [{ backup, why: `newer, but it holds only ${selectionText(one.part)}`, isEqual: false }] : [];
  }
  if (newerMs > 0) return [{ backup, why: 'newer, but partial', isEqual: true }];
  return newerMs === 0 && !partial ? [{ backup, why: 'it shows the same moment', isEqual: true }] : [];
}

function whyChosen({ candidate, part, holdsAll }: Held, wish: RestoreWish, passedOver: readonly Alternative[]): string {
  const whole = passedOver.some(({ backup }) => backup.partial && !candidate.partial) ? ' whole one' : '';
  const wide = passedOver.length === 0 || holdsAll ? '' : ' of those that hold most';
  const all = passedOver.length > 0 && holdsAll ? ' that holds all that is asked for' : '';
  const newest = wish.at === undefined ? `the newest${whole}${all}${wide}` : `it shows ${wish.at.toISOString()}`;
  const why = wish.backup === undefined ? newest : 'it was named';
  return [
    why,
    ...(candidate.partial ? ['it is partial'] : []),
    ...(holdsAll ? [] : [`it holds ${selectionText(part)}`]),
  ].join('; ');
}

function planned(candidate: Candidate): PlannedBackup {
  const { id, destination, snapshot, plan, source, driver, consistentAt, partial } = candidate;
  return { id, destination, snapshot, plan, source, driver, consistentAt: consistentAt.toISOString(), partial };
}
