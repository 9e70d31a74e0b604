import type { DriverContext } from '../../core/driver/index.ts';
import { TidemarkError } from '../../core/error.ts';
import { readRegularFile } from '../../core/regular-file.ts';
import type { Missable } from './inventory/privileges.ts';

/** The YAML of a mysql source, as `schemas/source.mysql.json` has checked it. */
export interface MysqlSettings {
  readonly host?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly user: string;
  /** A secret reference. */
  readonly password?: string;
  readonly tls?: { ca?: string; cert?: string; key?: string; verify?: 'identity' | 'ca' | 'none' };
  readonly parallel?: number;
  readonly allowMissing?: readonly Missable[];
}

/**
 * All that a connection needs, with secrets and files resolved; plain data, so that it reaches the data threads. It is
 * never printed, stored or put into an error.
 */
export interface ServerAddress {
  readonly subject: string;
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly tls?: TlsFiles;
}

interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
  readonly verifyIdentity: boolean;
}

/** Reads the secret and the TLS files. Throws SECRET_UNREADABLE. Done anew for each session: secrets rotate. */
export async function resolveAddress(settings: MysqlSettings, context: DriverContext): Promise<ServerAddress> {
  const password = settings.password === undefined ? '' : (await context.secret(settings.password)).reveal();
  return {
    subject: context.subject,
    ...(settings.socket === undefined
      ? { host: settings.host, port: settings.port ?? 3306 }
      : { socketPath: settings.socket }),
    user: settings.user,
    password,
    tls: await readTls(settings, context.subject),
  };
}

async function readTls({ tls }: MysqlSettings, subject: string): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  const verify = tls.verify ?? 'identity';
  return {
    ca: await readPem(tls.ca, subject),
    cert: await readPem(tls.cert, subject),
    key: await readPem(tls.key, subject),
    rejectUnauthorized: verify !== 'none',
    verifyIdentity: verify === 'identity',
  };
}

async function readPem(path: string | undefined, subject: string): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const { bytes, unreadable, cause } = await readRegularFile(path, mostPemBytes);
  if (bytes !== undefined) return bytes.toString('utf8');
  throw new TidemarkError('SECRET_UNREADABLE', `cannot read ${path}: ${unreadable}`, {
    subject,
    hint: 'Check that the file exists and that tidemark may read it.',
    cause,
  });
}

/** The certificates that a system trusts are a fifth of this. */
const mostPemBytes = 1024 * 1024;
