import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';

/** Runs statements again and again, `pauseMs` after each, until it is disposed of. */
export function repeat(
  server: { connect(options: { database: string }): Promise<Connection> },
  database: string,
  statements: readonly string[],
  pauseMs: number,
): AsyncDisposable {
  let done = false;
  const run = async () => {
    const connection = await server.connect({ database });
    for (let at = 0; !done; at++) {
      await connection.query(statements[at % statements.length]!);
      if (pauseMs > 0) await sleep(pauseMs);
    }
    await connection.end();
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      done = true;
      await running;
    },
  };
}
