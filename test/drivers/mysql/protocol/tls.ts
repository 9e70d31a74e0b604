import { join } from 'node:path';
import { runOk } from '../../../kit/process.ts';
import type { Owner } from '../../../kit/scope.ts';
import { tempFolder } from '../../../kit/temp.ts';

/** Options of a server that offers TLS, with a certificate that it signed itself. */
export async function tlsArgs(t: Owner): Promise<string[]> {
  const folder = await tempFolder(t, 'tls');
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  await runOk('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  return [`--ssl-cert=${cert}`, `--ssl-key=${key}`];
}
