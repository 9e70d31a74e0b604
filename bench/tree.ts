import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Random, random } from './random.ts';
import { text } from './text.ts';

/** Parts of the files by count, with their sizes: at scale 1 some 200,000 files and 7 GB. */
const sizes = [
  { count: 170_000, from: 64, to: 16 << 10 },
  { count: 26_140, from: 16 << 10, to: 256 << 10 },
  { count: 3_800, from: 256 << 10, to: 2 << 20 },
  { count: 60, from: 2 << 20, to: 64 << 20 },
];
const pieceSizeBytes = 4 << 20;
const filesPerFolder = 50;

export interface Tree {
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}

/** The tree of this seed and scale below `parent`, made when it is not there yet. Half its bytes compress. */
export function makeTree(parent: string, seed: string, scale: number): Tree {
  return make(join(parent, `tree-${seed}-${scale}`), seed, () => [...filesOf(random(`${seed} tree`), scale)]);
}

/** Three files, of 1 GiB each at scale 1: one compresses, one does not, one is half and half. */
export function makeLargeFiles(parent: string, seed: string, scale: number): Tree {
  const sizeBytes = Math.round(scale * 2 ** 30);
  return make(join(parent, `large-${seed}-${scale}`), seed, () =>
    ['a.log', 'b.bin', 'c.mixed'].map((path) => ({ path, sizeBytes })),
  );
}

function make(folder: string, seed: string, list: () => Tree['files']): Tree {
  const listFile = `${folder}.json`;
  if (existsSync(listFile)) return { folder, files: JSON.parse(readFileSync(listFile, 'utf8')) };
  const files = list();
  const folders = new Set(files.map((file) => dirname(file.path)));
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  for (const file of files) write(join(folder, file.path), file.sizeBytes, random(`${seed} ${file.path}`));
  writeFileSync(`${listFile}.new`, JSON.stringify(files));
  renameSync(`${listFile}.new`, listFile);
  return { folder, files };
}

/** Overwrites 4 KiB in the middle of this part of the files; each `round` takes others. */
export function changeTree(tree: Tree, part: number, round: number): void {
  const source = random(`change ${round}`);
  const step = Math.round(1 / part);
  for (let index = round % step; index < tree.files.length; index += step) {
    const { path, sizeBytes } = tree.files[index]!;
    const file = openSync(join(tree.folder, path), 'r+');
    const lengthBytes = Math.min(4096, sizeBytes);
    writeSync(file, source.bytes(lengthBytes), 0, lengthBytes, Math.floor((sizeBytes - lengthBytes) / 2));
    closeSync(file);
  }
}

function* filesOf(source: Random, scale: number): Generator<Tree['files'][number]> {
  let index = 0;
  for (const { count, from, to } of sizes) {
    for (let left = Math.round(count * scale); left > 0; left--) {
      yield { path: pathOf(index, source), sizeBytes: source.logUniform(from, to) };
      index += 1;
    }
  }
}

/** Every kind of file in every folder, three levels deep. */
function pathOf(index: number, source: Random): string {
  const folder = Math.floor(index / filesPerFolder);
  const name = `${source.bytes(6).toString('hex')}.${index % 2 === 0 ? 'log' : 'bin'}`;
  return join(`area-${folder % 40}`, `group-${Math.floor(folder / 40) % 20}`, `set-${folder}`, name);
}

function write(path: string, sizeBytes: number, source: Random): void {
  const file = openSync(path, 'w');
  for (let left = sizeBytes; left > 0; left -= pieceSizeBytes) {
    const isText = path.endsWith('.log') || (path.endsWith('.mixed') && (left / pieceSizeBytes) % 2 < 1);
    writeSync(
      file,
      isText ? text(source, Math.min(left, pieceSizeBytes)) : source.bytes(Math.min(left, pieceSizeBytes)),
    );
  }
  closeSync(file);
}
