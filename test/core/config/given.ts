import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type Drivers,
  type LoadedConfiguration,
  type LoadOptions,
  loadConfiguration,
} from '../../../core/config/index.ts';
import type { JsonSchema, SourceCapabilities } from '../../../core/driver/index.ts';
import local from '../../../schemas/destination.local.json' with { type: 'json' };
import files from '../../../schemas/source.files.json' with { type: 'json' };
import mysql from '../../../schemas/source.mysql.json' with { type: 'json' };
import { tempFolder } from '../../kit/temp.ts';

/** The shipped schemas, and a toy that knows no selection and has a list of mappings with secrets. */
export const drivers: Drivers = {
  sources: [
    source('mysql', mysql, { backupTypes: ['logical'], selection: 'tables' }),
    source('files', files, { backupTypes: ['snapshot'], selection: 'paths' }),
    source('toy', toySchema(), { backupTypes: ['snapshot', 'log'], selection: 'none' }),
  ],
  destinations: [{ kind: 'local', schema: local, placeSettings: ['path'], open: neverOpened }],
};

/** A configuration in which nothing is wrong, one of each of what the design shows. */
export const soundYaml = `
sources:
  shop:
    driver: mysql
    host: db1.internal
    port: 3306
    user: tidemark
    password: \${env:SHOP}
    tls: { ca: /etc/ssl/db-ca.pem, verify: identity }
    labels: { region: eu }
  shop-ro: { driver: mysql, socket: /run/mysqld/mysqld.sock, user: tidemark }
  config:
    driver: files
    paths: [/etc, /srv/www]
    exclude: ["**/*.tmp"]
    oneFileSystem: true
destinations:
  nas: { driver: local, path: /mnt/nas, requireMount: true, password: "\${env:NAS}" }
retention:
  standard: { last: 3, daily: 7, recovery: 7d, minimum: 1 }
plans:
  shop-nightly:
    source: shop
    type: logical
    schedule: "0 0 * * *"
    timezone: Asia/Shanghai
    window: 6h
    destinations: [nas]
    retention: standard
    include: ["shop.*"]
    exclude: ["shop.tmp_*"]
    retry: { attempts: 3, backoff: 5m }
    missed: skip
  config-now: { source: config, manual: true, destinations: [nas] }
daemon:
  catalog: sqlite:state/catalog.db
  concurrency: 3
`.trimStart();

/** Loads these files from a folder of their own. A single text becomes `tidemark.yaml`. */
export async function load(
  t: TestContext,
  texts: string | Readonly<Record<string, string | Uint8Array>>,
  options: LoadOptions = {},
): Promise<LoadedConfiguration & { folder: string }> {
  const folder = await tempFolder(t);
  const named = typeof texts === 'string' ? { 'tidemark.yaml': texts } : texts;
  for (const [name, text] of Object.entries(named)) await writeFile(join(folder, name), text);
  const path = typeof texts === 'string' ? join(folder, 'tidemark.yaml') : folder;
  return { ...(await loadConfiguration(path, drivers, options)), folder };
}

/**
 * Errors as `line:column code summary [hint]`, files left out. With `firstLine`, lines count from there: `+0:5`, `-3:3`.
 */
export function errorsOf({ diagnostics }: LoadedConfiguration, firstLine?: number): string[] {
  return diagnostics
    .filter((one) => one.severity === 'error')
    .map(({ position, code, summary, hint }) => {
      const line = firstLine === undefined ? position?.line : signed(position!.line - firstLine);
      return `${line}:${position?.column} ${code} ${summary}${hint ? ` [${hint}]` : ''}`;
    });
}

function signed(difference: number): string {
  return `${difference < 0 ? '' : '+'}${difference}`;
}

function source(kind: string, schema: JsonSchema, capabilities: SourceCapabilities): Drivers['sources'][number] {
  return { kind, schema, capabilities, open: neverOpened };
}

function toySchema(): JsonSchema {
  const shelf = {
    type: 'object',
    properties: { name: { type: 'string' }, key: { type: 'string', format: 'secret' } },
    additionalProperties: false,
  };
  return {
    type: 'object',
    description: 'Toys.',
    properties: { shelves: { type: 'array', description: 'Shelves.', items: shelf, examples: [[{ name: 'a' }]] } },
  };
}

async function neverOpened(): Promise<never> {
  throw new Error('loading a configuration opens nothing');
}
