import { execFileSync } from 'node:child_process';
import type { MariadbServer } from '../../../servers/mariadb.ts';

/** Before the caller goes on: what it does to the server is done when, for one, the first row is read. */
export function runNow(server: MariadbServer, sql: string): void {
  execFileSync('mariadb', ['--no-defaults', '--user=root', `--socket=${server.socket}`, '-e', sql]);
}
