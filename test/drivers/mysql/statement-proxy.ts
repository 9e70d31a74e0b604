import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { atEnd, type Owner } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import type { MariadbServer } from '../../servers/mariadb.ts';
import type { ServerLogin } from './repository.ts';

/** The server behind a socket at which `see` is called with what clients say before the server hears it. */
export async function watchStatements(
  t: Owner,
  server: MariadbServer,
  see: (text: string) => void,
): Promise<ServerLogin> {
  const socket = join(await tempFolder(t), 'watched.sock');
  const proxy = createServer((client) => {
    const upstream = connect(server.socket);
    client.on('data', (bytes) => {
      see(bytes.toString('latin1'));
      upstream.write(bytes);
    });
    upstream.pipe(client);
    for (const one of [client, upstream]) one.on('error', () => {});
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(socket, resolve));
  atEnd(t, async () => void proxy.close());
  return { ...server, socket };
}
