import type { Dump } from './work.ts';

/** What the server has counted of the statements that may give tables, views, sequences and events other names. */
export interface Renames {
  /** Begun until this look: by clients, in procedures, prepared, as text, by events and by replication. */
  readonly count: string;
  /** One of them may not have ended at this look, and change names yet. */
  readonly isRunning: boolean;
}

/** Nothing got another name between these looks, of which `before` was taken before `after`. */
export function stood(before: Renames, after: Renames): boolean {
  return !before.isRunning && before.count === after.count;
}

/**
 * The server counts a statement when it begins, and shows its text until it has ended. So it is counted first, then
 * looked at what runs: what is in neither begins later, and is in the next count.
 */
export async function readRenames({ control }: Pick<Dump, 'control'>): Promise<Renames> {
  const counted = "'Com_rename_table', 'Com_alter_table', 'Com_alter_event'";
  const rows = await control.rows(`SHOW GLOBAL STATUS WHERE Variable_name IN (${counted})`);
  const running = await control.row(
    'SELECT COUNT(*) AS running FROM information_schema.processlist WHERE id <> CONNECTION_ID() ' +
      `AND ${textOfInfo} RLIKE _utf8mb4'rename|exchange' AND NOT ${textOfInfo} RLIKE _utf8mb4'${harmless}'`,
  );
  return { count: rows.map((row) => row.Value).join(), isRunning: running?.running !== '0' };
}

/** Of a statement within a procedure or a prepared one, the server shows its own text. */
const textOfInfo = 'LOWER(CONVERT(info USING utf8mb4))';

/** Before the first word of a statement. */
const skipped = '([[:space:](]|/[*]([^*]|[*]+[^*/])*[*]+/|(--|#)[^\n]*\n)*';

/** Whatever else stands in them: they change rows at most, and so do the functions and triggers that they run. */
const harmless = `^${skipped}(select|with|insert|update|delete|replace|load|show)[[:space:]]`;
