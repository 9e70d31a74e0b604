import type { Manifest } from '../../../core/driver/index.ts';
import type { Entry } from '../format/contents.ts';
import { parseSelection } from './selection.ts';

/** Whether no table and no object of a logical backup is meant by these patterns. */
export function holdsNothing({ contents }: Manifest, only: readonly string[]): boolean {
  const selection = parseSelection(only, []);
  const entries = contents as unknown as readonly Entry[];
  return !entries.some((one) => 'name' in one && selection.includes(one.database, one.name));
}
