import { quoteName } from '../protocol/connection.ts';

/** One SQL statement without its delimiter; bytes where parts of it are in another character set than UTF-8. */
export type Statement = string | Buffer;

/**
 * A file that the stock client runs and `splitScript` takes apart again. Each statement ends with a delimiter that
 * occurs in none of them, so bodies of routines need no parsing.
 */
export function writeScript(statements: readonly Statement[]): Buffer {
  const bodies = statements.map((one) => Buffer.from(one as Buffer));
  let delimiter = ';;';
  while (bodies.some((one) => one.includes(delimiter))) delimiter += ';';
  const lines = bodies.flatMap((body) => [body, Buffer.from(`${delimiter}\n`)]);
  return Buffer.concat([Buffer.from(`DELIMITER ${delimiter}\n`), ...lines, Buffer.from('DELIMITER ;\n')]);
}

/** The statements of a file that `writeScript` made. */
export function splitScript(script: Buffer): Buffer[] {
  const firstLine = script.indexOf('\n');
  const delimiter = `${script.toString('latin1', 'DELIMITER '.length, firstLine)}\n`;
  const statements: Buffer[] = [];
  for (let from = firstLine + 1; ; ) {
    const to = script.indexOf(delimiter, from);
    if (to < 0) return statements;
    statements.push(script.subarray(from, to));
    from = to + delimiter.length;
  }
}

/**
 * The session that definitions and rows are written for; `load.sql` begins with it. Without NO_ENGINE_SUBSTITUTION a
 * server that lacks an engine makes the table with another, and says so in a warning only; without ALLOW_INVALID_DATES it
 * stores such dates as zero.
 */
export const sessionStatements: readonly Statement[] = [
  'SET NAMES utf8mb4',
  "SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
  'SET SESSION autocommit = 1, foreign_key_checks = 0, unique_checks = 1',
];

export function useDatabase(name: string): Statement {
  return `USE ${quoteName(name)}`;
}
