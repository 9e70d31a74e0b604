import { readdir, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { TableFacts } from '../format/contents.ts';
import { existingOf } from './existing.ts';
import type { Look, Problem } from './look.ts';

/**
 * Too little room on the disk, where that can be known: the server is on this machine, all of its data is in one folder
 * that can be seen, and nothing is replaced. Refused is only what is surely too much.
 */
export async function roomProblem(look: Look): Promise<Problem | undefined> {
  const folder = await dataFolder(look);
  if (folder === undefined) return undefined;
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (leastBytes(look.chosen.tables) <= freeBytes) return undefined;
  const needed = leastBytes(await uncompressed(look));
  if (needed <= freeBytes) return undefined;
  return {
    text: `${folder} has ${mebibytes(freeBytes)} left, and the rows take ${mebibytes(needed)} at the very least`,
    hint: 'Make room there, or choose fewer tables with `--only`.',
  };
}

/** A time of 19 letters is stored in 5 bytes, text at its length; indexes come on top. */
function leastBytes(tables: readonly TableFacts[]): number {
  return tables.reduce((sum, one) => sum + one.bytes, 0) / 4;
}

/** How small compressed tables get is not known. */
async function uncompressed({ chosen, files, request }: Look): Promise<TableFacts[]> {
  const scripts = chosen.tables.map(({ path }) => `${path}/schema.sql`);
  const compressed = await files.matching(scripts, /COMPRESS|ENGINE=(?!InnoDB|MyISAM|Aria)/i, request.signal);
  return chosen.tables.filter(({ path }) => !compressed.has(`${path}/schema.sql`));
}

async function dataFolder({ control, address, existing, chosen }: Look): Promise<string | undefined> {
  const all = [...chosen.tables, ...chosen.objects];
  if (address.socketPath === undefined || all.some((one) => existingOf(existing, one) !== undefined)) return undefined;
  const place = await control.row('SELECT @@datadir AS folder, @@hostname AS host');
  const compression = await control.rows("SHOW GLOBAL VARIABLES LIKE 'innodb_compression_default'");
  const folder = place?.folder;
  if (folder == null || place?.host !== hostname() || compression[0]?.Value === 'ON') return undefined;
  return (await holdsAll(folder)) ? folder : undefined;
}

/** A container may show another folder by that name, and databases may be linked to other disks. */
async function holdsAll(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.some(({ name }) => name === 'ibdata1') && !entries.some((entry) => entry.isSymbolicLink());
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
