import { closeSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MariadbServer } from '../test/servers/mariadb.ts';
import { type Random, random } from './random.ts';
import { text } from './text.ts';

interface Table {
  readonly name: string;
  readonly columns: string;
  /** At scale 1; every table then has about 500 MB of text. */
  readonly rows: number;
  row(id: number, source: Random, words: Words): (string | number)[];
}

/** A cheap source of text: a window into a long one. */
type Words = (lengthChars: number) => string;

const tables: readonly Table[] = [
  {
    name: 'customers',
    columns: `id INT UNSIGNED PRIMARY KEY, email VARCHAR(120) NOT NULL, name VARCHAR(120) NOT NULL, address VARCHAR(255),
      note TEXT, balance DECIMAL(12,2) NOT NULL, created DATETIME NOT NULL, UNIQUE KEY (email)`,
    rows: 1_900_000,
    row: (id, source, words) => [
      id,
      `c${id}@example.org`,
      words(18),
      words(60),
      source.next() < 0.2 ? '\\N' : words(140),
      money(source),
      time(source),
    ],
  },
  {
    name: 'orders',
    columns: `id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, customer INT UNSIGNED NOT NULL, state ENUM('new','paid','sent','back') NOT NULL,
      total DECIMAL(12,2) NOT NULL, placed DATETIME(3) NOT NULL, remark VARCHAR(200), KEY (customer), KEY (placed)`,
    rows: 4_800_000,
    row: (id, source, words) => [
      id,
      source.below(1_900_000),
      ['new', 'paid', 'sent', 'back'][source.below(4)]!,
      money(source),
      `${time(source)}.${100 + source.below(900)}`,
      words(50),
    ],
  },
  {
    name: 'positions',
    columns: `order_id BIGINT UNSIGNED NOT NULL, line SMALLINT UNSIGNED NOT NULL, article INT UNSIGNED NOT NULL, amount INT NOT NULL,
      price DOUBLE NOT NULL, weight FLOAT, code BINARY(8) NOT NULL, PRIMARY KEY (order_id, line)`,
    rows: 9_000_000,
    row: (id, source) => [
      1 + Math.floor(id / 3),
      id % 3,
      source.below(100_000),
      1 + source.below(20),
      source.next() * 900,
      Math.round(source.next() * 9000) / 100,
      source.below(1e8).toString().padStart(8, '0'),
    ],
  },
  {
    name: 'documents',
    columns:
      'id INT UNSIGNED PRIMARY KEY, kind VARCHAR(20) NOT NULL, body MEDIUMTEXT NOT NULL, image MEDIUMBLOB NOT NULL',
    rows: 120_000,
    row: (id, source, words) => [
      id,
      `kind-${id % 9}`,
      words(source.logUniform(500, 6000)),
      escaped(source.bytes(source.logUniform(300, 6000))),
    ],
  },
];

/** Fills database `bench` of the server, unless it has been filled before. */
export async function fillDatabase(server: MariadbServer, seed: string, scale: number): Promise<void> {
  await server.query('CREATE DATABASE IF NOT EXISTS bench CHARACTER SET utf8mb4');
  const filled = await server.query(
    "SELECT 1 FROM information_schema.tables WHERE table_schema = 'bench' AND table_name = 'documents'",
  );
  if (filled.length > 0) return;
  for (const table of tables) await fillTable(server, table, seed, Math.round(table.rows * scale));
}

/** One line per table that is the same when the rows are the same. */
export async function checksums(server: MariadbServer, database: string): Promise<string> {
  const rows = await server.query(`CHECKSUM TABLE ${tables.map((table) => table.name).join(', ')} EXTENDED`, database);
  return rows.map((row) => `${String(row.Table).split('.')[1]} ${row.Checksum}`).join('\n');
}

/** The table gets its name when it is complete, so that a run that was cut off is begun again. */
async function fillTable(server: MariadbServer, table: Table, seed: string, rows: number): Promise<void> {
  const file = join(server.folder, `${table.name}.tsv`);
  writeRows(file, table, random(`${seed} ${table.name}`), rows);
  await server.query(
    `DROP TABLE IF EXISTS ${table.name}, ${table.name}_new;
     CREATE TABLE ${table.name}_new (${table.columns}) ENGINE=InnoDB;
     SET unique_checks = 0, foreign_key_checks = 0;
     LOAD DATA INFILE '${file}' INTO TABLE ${table.name}_new CHARACTER SET binary;
     RENAME TABLE ${table.name}_new TO ${table.name}`,
    'bench',
  );
  await rm(file);
}

function writeRows(path: string, table: Table, source: Random, rows: number): void {
  const file = openSync(path, 'w');
  const words = wordsOf(source);
  let lines: string[] = [];
  for (let id = 1; id <= rows; id++) {
    lines.push(`${table.row(id, source, words).join('\t')}\n`);
    if (lines.length < 2000 && id < rows) continue;
    writeSync(file, Buffer.from(lines.join(''), 'latin1'));
    lines = [];
  }
  closeSync(file);
}

function wordsOf(source: Random): Words {
  const long = text(source, 8 << 20)
    .toString('latin1')
    .replaceAll('\n', ' ');
  return (lengthChars) => {
    const at = source.below(long.length - lengthChars);
    return long.slice(at, at + lengthChars);
  };
}

function money(source: Random): string {
  return (source.below(10_000_000) / 100).toFixed(2);
}

function time(source: Random): string {
  return new Date(1_500_000_000_000 + source.below(2 ** 31) * 100).toISOString().slice(0, 19).replace('T', ' ');
}

/** Bytes as LOAD DATA reads them. */
function escaped(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\t\n\\\0]/g, (char) => (char === '\0' ? '\\0' : `\\${char}`));
}
