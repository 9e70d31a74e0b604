import type { Collection } from './types.ts';
import type { Place } from './yaml-document.ts';

/** One resource, or the daemon's settings, as some file declares it; nothing of its inside is checked yet. */
export interface Declared {
  /** `<collection>.<name>`, or `daemon`. */
  readonly address: string;
  readonly collection: Collection | 'daemon';
  readonly name: string;
  readonly value: unknown;
  /** Places of its fields; the empty path is the resource itself. */
  readonly place: Place;
}
