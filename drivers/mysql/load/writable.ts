import { isAtLeast } from '../server.ts';
import type { Look, Problem } from './look.ts';

/** A server that takes no writes: a replica, mostly. */
export async function writeProblem({ control, server, grants }: Look): Promise<Problem | undefined> {
  const rows = await control.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only')",
  );
  const on = rows
    .filter((row) => row.Value !== 'OFF' && row.Value !== '0')
    .map((row) => row.Variable_name!.toLowerCase());
  if (on.length === 0 || (on.every((one) => one === 'read_only') && passesReadOnly().some((one) => grants.may(one))))
    return undefined;
  return {
    text: `the server is read-only (${on.join(', ')})`,
    hint: 'Restore into a server that takes writes, such as the primary, or switch these settings off.',
  };

  function passesReadOnly(): string[] {
    if (server.flavour === 'mysql') return ['SUPER', 'CONNECTION_ADMIN'];
    return isAtLeast(server, { mariadb: 1011 }) ? ['READ ONLY ADMIN'] : ['READ ONLY ADMIN', 'SUPER'];
  }
}
