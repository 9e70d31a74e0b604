import { TidemarkError } from '../../../core/error.ts';
import { type Inventory, namesOf } from '../inventory/inventory.ts';
import { parseSelection } from '../inventory/selection.ts';
import type { Started } from './snapshot.ts';
import type { Dump } from './work.ts';

/** An empty backup of a pattern that matches nothing would look like a good one. */
export function refuseNothing({ request, subject }: Dump, { before, inventory }: Started): void {
  const { include } = request;
  if (include.length === 0 || namesIn(inventory).length + codeIn(inventory).length > 0) return;
  if (before.entries.size > 0) {
    throw new TidemarkError('SOURCE_CHANGED', `what matches ${include.join(', ')} went away when the backup began`, {
      subject,
      hint: 'Run the backup again.',
    });
  }
  throw new TidemarkError('CONFIG_INVALID', `nothing on the server matches ${include.join(', ')}`, {
    subject,
    hint: 'Correct `include` of the plan. Routines and events match patterns with `*` after the dot.',
  });
}

/** Of several patterns one may be misspelt, or of a table that was renamed last month. */
export function unmatchedPatterns(include: readonly string[], { before, inventory }: Started): string[] {
  const names = [...before.entries.values(), ...namesIn(inventory)];
  return include.filter((pattern) => {
    const { includes, includesCode } = parseSelection([pattern], []);
    return (
      !names.some(({ database, name }) => includes(database, name)) &&
      !codeIn(inventory).some(({ database, name }) => includesCode(database, name))
    );
  });
}

function namesIn({ databases, undescribed, unreadable }: Inventory) {
  return [...databases.flatMap(namesOf), ...undescribed, ...unreadable];
}

function codeIn({ databases }: Inventory) {
  return databases.flatMap(({ name: database, routines, events, others }) =>
    [...[...routines, ...others].map(({ name }) => name), ...events].map((name) => ({ database, name })),
  );
}
