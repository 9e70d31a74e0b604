import type { Connection } from '../protocol/connection.ts';
import type { Okay } from '../protocol/packets.ts';

/** The first things that the server found odd while it took rows; asked right after the statement. */
export async function readWarnings(connection: Connection, { warnings }: Okay): Promise<string[]> {
  if (warnings === 0) return [];
  return (await connection.rows('SHOW WARNINGS LIMIT 3')).map((row) => row.Message ?? '');
}
