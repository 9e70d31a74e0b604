import type { Survey } from '../check/survey.ts';
import type { PinDocument } from '../pins.ts';

/** What is done about documents of `marks/` and `pins/` that cannot be read. */
export interface NotePlan {
  /**
   * Moved aside. Nothing is deleted for it: a prune removes only what a mark names that it can read, and what this one
   * named the next prune finds again. Backups may begin then.
   */
  readonly marks: readonly string[];
  readonly pins: {
    /** What the catalog knows as pinned and no pin says that can be read: set again before any is moved aside. */
    readonly putBack: readonly PinDocument[];
    readonly setAside: readonly string[];
  };
  /** For people: see `RepairPlan.left`. */
  readonly left: readonly string[];
}

/**
 * Pure. A damaged pin may keep any backup. It is moved aside only where for each there is one that the catalog knows and
 * that no other says, or that a repair which was cut off has put back for it.
 */
export function planNotes({ badNotes, pins }: Survey, knownPins: readonly PinDocument[]): NotePlan {
  const marks = badNotes.filter(({ kind }) => kind === 'marks').map(({ id }) => id);
  const damaged = badNotes.filter(({ kind }) => kind === 'pins');
  const replaced = new Set(pins.flatMap(({ replaces = [] }) => replaces));
  const open = damaged.filter(({ id }) => !replaced.has(id));
  const said = new Set(pins.map(({ backup }) => backup));
  const unsaid = damaged.length === 0 ? [] : knownPins.filter(({ backup }) => !said.has(backup));
  const isUnknown = open.some(({ isWhole }) => isWhole === true);
  const setAside = damaged.map(({ id }) => id);
  if (isUnknown || unsaid.length < open.length)
    return { marks, pins: { putBack: [], setAside: [] }, left: [leftText(setAside, unsaid.length)] };
  const putBack = unsaid.map((pin) => ({ ...pin, replaces: setAside }));
  return { marks, pins: { putBack, setAside }, left: [] };
}

function leftText(damaged: readonly string[], known: number): string {
  const [pins, they, whose] =
    damaged.length === 1 ? ['1 pin', 'it keeps', 'backup'] : [`${damaged.length} pins`, 'they keep', 'backups'];
  const files = damaged.map((id) => `pins/${id}`).join(', ');
  return `${pins} cannot be read, and the catalog knows ${known === 0 ? 'none' : known} that no other pin says: nobody knows which ${whose} ${they}, and none is deleted. Pin again what is to stay, then delete ${files} in the repository and import it with \`tidemark catalog import\``;
}
