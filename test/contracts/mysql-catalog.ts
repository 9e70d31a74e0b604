import { createPool } from 'mysql2';
import type { Catalog } from '../../core/catalog/index.ts';
import { kysely } from '../../core/catalog/kysely.ts';
import { migrations } from '../../core/catalog/migrations.ts';
import { openParts } from '../../core/catalog/parts.ts';
import type { Tables } from '../../core/catalog/tables.ts';
import type { Clock } from '../../core/clock.ts';

/**
 * The catalog's parts over MySQL: no product, but the proof that no statement of theirs leans on SQLite's one writer, and
 * that its tables and keys are such as InnoDB takes. `url` is `mysql:<socket>#<database>`, a database that is there.
 */
export async function openMysqlCatalog(url: string, clock: Clock): Promise<Catalog> {
  const db = open(url);
  return { ...openParts(db, clock), checkPresence: async () => {}, [Symbol.asyncDispose]: () => db.destroy() };
}

export async function migrateMysql(url: string): Promise<void> {
  const db = open(url);
  for (const step of migrations) await step(db);
  await db.destroy();
}

function open(url: string) {
  const [socketPath, database] = url.slice('mysql:'.length).split('#');
  const pool = createPool({ socketPath, database, user: 'root', charset: 'utf8mb4_bin', connectionLimit: 4 });
  return new kysely.Kysely<Tables>({ dialect: new kysely.MysqlDialect({ pool }) });
}
