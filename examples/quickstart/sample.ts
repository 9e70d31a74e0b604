import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MariadbServer } from '../../test/servers/mariadb.ts';

/** A small shop. */
export async function fillShop(server: MariadbServer): Promise<void> {
  await server.query(`
    CREATE DATABASE shop CHARACTER SET utf8mb4;
    USE shop;
    CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(80) NOT NULL, photo VARBINARY(64), joined DATETIME NOT NULL);
    CREATE TABLE orders (id INT PRIMARY KEY, customer INT NOT NULL, total DECIMAL(10,2) NOT NULL, remark TEXT, KEY (customer));
    INSERT INTO customers SELECT seq, CONCAT('Zoë № ', seq), UNHEX(SHA2(seq, 512)), '2026-01-01' + INTERVAL seq MINUTE FROM seq_1_to_5000;
    INSERT INTO orders SELECT seq, 1 + seq % 5000, seq / 7, IF(seq % 3 = 0, NULL, CONCAT('tab\\tquote\\'line\\n', seq)) FROM seq_1_to_50000;
  `);
}

/** One line per table, the same when the rows are the same. */
export async function shopChecksums(server: MariadbServer): Promise<string[]> {
  const rows = await server.query('CHECKSUM TABLE customers, orders EXTENDED', 'shop');
  return rows.map((row) => `${row.Table} ${row.Checksum}`);
}

/** A small website. */
export async function fillSite(folder: string): Promise<void> {
  await mkdir(join(folder, 'pages/ünïcode'), { recursive: true });
  for (let page = 1; page <= 200; page++) {
    await writeFile(join(folder, `pages/page ${page}.html`), `<h1>${page}</h1>\n`.repeat(page));
  }
  await writeFile(join(folder, 'pages/ünïcode/empty'), '');
  await writeFile(join(folder, 'deploy.sh'), '#!/bin/sh\necho deployed\n');
  await chmod(join(folder, 'deploy.sh'), 0o750);
  await symlink('pages/page 1.html', join(folder, 'index.html'));
}

export async function breakSite(folder: string): Promise<void> {
  await rm(join(folder, 'pages'), { recursive: true });
  await writeFile(join(folder, 'deploy.sh'), 'oops');
}

/** One line per file: its name, mode, time and what is in it. */
export async function siteContents(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(names.map((name) => describe(folder, name)));
}

async function describe(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const { mode, mtimeMs } = await lstat(path);
  return `${name} ${mode.toString(8)} ${Math.round(mtimeMs)} ${await contentOf(path)}`;
}

async function contentOf(path: string): Promise<string> {
  const state = await lstat(path);
  if (state.isSymbolicLink()) return readlink(path);
  if (!(await stat(path)).isFile()) return '';
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
