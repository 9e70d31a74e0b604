import { firstOf } from '../../first-of.ts';
import type { BadNote, Survey } from '../check/survey.ts';
import type { KnownPin, PinDocument } from '../pins.ts';

/** What is done about documents of `marks/` and `pins/` that cannot be read. */
export interface NotePlan {
  /**
   * Moved aside. Nothing is deleted for it: a prune removes only what a mark names that it can read, and what this one
   * named the next prune finds again. Backups may begin then.
   */
  readonly marks: readonly string[];
  readonly pins: {
    /** What damaged ones said and no other says: set again before any is moved aside. */
    readonly putBack: readonly PinDocument[];
    readonly setAside: readonly string[];
  };
  /** For people: see `RepairPlan.left`. */
  readonly left: readonly string[];
}

/**
 * Pure. A damaged pin may keep any backup, and what the catalog knows may have been taken away by another host since. So
 * one is moved aside only where the catalog knows it by its id, or a repair that was cut off has put one in its place: it
 * is there, so nobody took it away.
 */
export function planNotes({ badNotes, pins }: Survey, knownPins: readonly KnownPin[]): NotePlan {
  const marks = badNotes.filter(({ kind }) => kind === 'marks').map(({ id }) => id);
  const damaged = badNotes.filter(({ kind }) => kind === 'pins');
  const known = new Map(knownPins.map((pin) => [pin.object, pin]));
  const replaced = new Set(pins.flatMap(({ replaces = [] }) => replaces));
  const said = new Set(pins.map(({ backup }) => backup));
  const isKnown = ({ id, isWhole }: BadNote) => isWhole !== true && (known.has(id) || replaced.has(id));
  const putBack = damaged
    .filter((one) => isKnown(one) && !replaced.has(one.id) && !said.has(known.get(one.id)!.backup))
    .map(({ id }) => {
      const { object: _, ...pin } = known.get(id)!;
      return { ...pin, replaces: [id] };
    });
  const setAside = damaged.filter(isKnown).map(({ id }) => id);
  const open = damaged.filter((one) => !isKnown(one)).map(({ id }) => id);
  const unsaid = knownPins.filter(({ backup, object }) => !said.has(backup) && !setAside.includes(object ?? ''));
  const left = open.length === 0 ? [] : [leftText(open, unsaid)];
  return { marks, pins: { putBack, setAside }, left };
}

const mostNamed = 20;

/** `unsaid`: what the catalog has as pinned and nothing in the repository says. */
function leftText(damaged: readonly string[], unsaid: readonly KnownPin[]): string {
  const [pins, they, whose] =
    damaged.length === 1 ? ['1 pin', 'it keeps', 'backup'] : [`${damaged.length} pins`, 'they keep', 'backups'];
  const files = damaged.map((id) => `pins/${id}`).join(', ');
  const perhaps = firstOf(
    unsaid.map(({ backup }) => backup),
    mostNamed,
  );
  const candidates =
    unsaid.length === 0 ? '' : ` (perhaps ${perhaps}: the catalog has it as pinned, and no pin says so)`;
  return `${pins} cannot be read, and the catalog does not know whose: nobody knows which ${whose} ${they}, and none is deleted. Ask everybody who pins backups here what they pinned, pin again what is to stay${candidates}, then delete ${files} in the repository and import it with \`tidemark catalog import\``;
}
