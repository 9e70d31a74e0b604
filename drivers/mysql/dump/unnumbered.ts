import { tableFolder } from '../format/layout.ts';
import type { TableEntry } from '../inventory/inventory.ts';
import type { Ledger } from './ledger.ts';
import { readRenames, stood } from './renames.ts';
import { dumpTables } from './table-dump.ts';
import { type Dump, mayRead, type Unread } from './work.ts';

/*
 * What InnoDB does not hold has no numbers: only its name and its age, to the second and kept by RENAME. When two such
 * tables change names between their readings, one is read twice and the other not at all, and both look well. But no
 * table gets another's name unless somebody runs a statement, and the server counts statements.
 */

/**
 * Runs `read`, then, as long as tables were renamed meanwhile, reads again those that InnoDB does not hold. Where the
 * renaming does not end, the ledger doubts them.
 */
export async function readWithUnnumbered(
  work: Dump,
  tables: readonly TableEntry[],
  ledger: Ledger,
  read: () => Promise<void>,
): Promise<void> {
  const unnumbered = tables.filter((one) => isUnnumbered(work, one) && mayRead(work, one));
  if (unnumbered.length < 2) return await read();
  let before = await readRenames(work);
  await read();
  for (let round = 0; ; round++) {
    const after = await readRenames(work);
    if (stood(before, after)) return;
    if (round === rounds) break;
    work.request.progress.step('reading again what may have got another name');
    before = after;
    const again = await dumpTables(work, unnumbered);
    for (const one of again.unread) dropFirst(work, ledger, one);
    ledger.add(again);
  }
  for (const one of unnumbered) ledger.doubt(one);
}

const rounds = 3;

/** What was read of it first may be another's: it is not what it was described as. */
function dropFirst({ root }: Dump, ledger: Ledger, { database, name }: Unread): void {
  ledger.drop({ database, name });
  root.remove(tableFolder(database, name));
}

/** Without the dictionary nothing has numbers; then the backup is partial anyway, and says why. */
function isUnnumbered({ dictionary }: Dump, { spaces, holdsNoRows, transactional }: TableEntry): boolean {
  return spaces.length === 0 && !holdsNoRows && (dictionary !== undefined || !transactional);
}
