import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from '../core/repository/repository-kit.ts';
import type { Random } from './random.ts';

const mostFiles = 14;
/** Contents that files share, wholly or in part: what deduplication and prune have to tell apart. */
const blocks = Array.from({ length: 30 }, (_, at) => randomBytes(`block ${at}`, 10_000 + at * 9_000));

/** Makes a few files new, changed, moved or gone below a folder. */
export function changeSource(folder: string, random: Random): void {
  mkdirSync(folder, { recursive: true });
  for (let times = 2 + random.below(6); times > 0; times--) changeOne(folder, random);
}

function changeOne(folder: string, random: Random): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const victim = files.length === 0 ? undefined : files[random.below(files.length)]!;
  const path = victim && join(victim.parentPath, victim.name);
  const kind = files.length < 6 ? 0 : random.below(6);
  if (path === undefined || (kind <= 1 && files.length < mostFiles)) write(newPath(folder, random), contents(random));
  else if (kind === 2) rmSync(path);
  else if (kind === 3) renameSync(path, prepared(newPath(folder, random)));
  else if (kind === 4) write(path, Buffer.concat([readFileSync(path).subarray(0, 600_000), contents(random)]));
  else write(path, contents(random));
}

/** Most were there before and come back: blobs that a prune took for unused are used again. */
function contents(random: Random): Buffer {
  if (random.below(4) > 0) return random.pick(blocks);
  const own = random.bytes(random.below(60_000));
  const shared = Array.from({ length: random.below(3) }, () => blocks[random.below(blocks.length)]!);
  const text = Buffer.from('the same again and again '.repeat(random.below(3000)));
  return Buffer.concat([...shared, own, text]);
}

function newPath(folder: string, random: Random): string {
  return join(folder, `d${random.below(4)}`, `file ${random.below(1_000_000)}`);
}

function write(path: string, bytes: Buffer): void {
  writeFileSync(prepared(path), bytes);
}

function prepared(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}
