import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { decodeName } from '../../core/path-bytes.ts';
import { loadNative, type Native } from '../../drivers/files/system/native.ts';

export interface CompareOptions {
  /** Compare access times of files too; looking at folders and links to compare them changes theirs. */
  readonly atime?: boolean;
  /** Leave out names at the top, such as `.tidemark`. */
  readonly except?: readonly string[];
}

/** By path in Latin-1 (one character per byte). */
export type TreeDescription = Map<string, Record<string, unknown>>;

/**
 * Fails unless two folders hold the same: names as bytes, types, modes, owners, modification times to the nanosecond,
 * extended attributes, contents, link targets, devices, and which names are one file.
 */
export function assertSameTrees(actual: string, expected: string, options: CompareOptions = {}): void {
  assertSameDescriptions(describeTree(actual, options), describeTree(expected, options));
}

/** The same for what was described before. */
export function assertSameDescriptions(found: TreeDescription, wanted: TreeDescription): void {
  assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort(), 'the names differ');
  for (const [name, description] of wanted) assert.deepEqual(found.get(name), description, `${name} differs`);
}

/** Everything that a backup must bring back. */
export function describeTree(root: string, options: CompareOptions = {}): TreeDescription {
  const native = loadNative();
  const tree = new Map<string, Record<string, unknown>>();
  const firstNames = new Map<string, string>();
  const describe = (path: Buffer, name: string) => {
    const stat = fs.lstatSync(path, { bigint: true });
    const file = `${stat.dev}:${stat.ino}`;
    if (!stat.isDirectory() && !firstNames.has(file)) firstNames.set(file, name);
    const mode = Number(stat.mode);
    tree.set(name, {
      mode: mode.toString(8),
      owner: `${stat.uid}:${stat.gid}`,
      mtimeNs: stat.mtimeNs,
      ...(options.atime && stat.isFile() ? { atimeNs: stat.atimeNs } : {}),
      ...(stat.isDirectory() ? {} : { links: stat.nlink, sameFileAs: firstNames.get(file) }),
      ...(stat.isFile() ? { size: stat.size, content: digest(path) } : {}),
      ...(stat.isSymbolicLink() ? { target: fs.readlinkSync(path, { encoding: 'latin1' }) } : {}),
      ...(stat.isBlockDevice() || stat.isCharacterDevice() ? { device: stat.rdev } : {}),
      attributes: attributesOf(native, decodeName(path)),
    });
    if (stat.isDirectory()) children(path, name);
  };
  const children = (path: Buffer, name: string) => {
    for (const child of fs.readdirSync(path, { encoding: 'latin1' }).sort()) {
      if (name === '' && options.except?.includes(child)) continue;
      describe(Buffer.concat([path, Buffer.from(`/${child}`, 'latin1')]), name === '' ? child : `${name}/${child}`);
    }
  };
  children(Buffer.from(root), '');
  return tree;
}

function attributesOf(native: Native, path: string): Record<string, string> {
  const names = native.listAttributes(path).sort();
  return Object.fromEntries(names.map((name) => [name, native.getAttribute(path, name).toString('hex')]));
}

function digest(path: Buffer): string {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOATIME);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(1024 * 1024);
    for (let read = 1; read > 0; ) {
      read = fs.readSync(descriptor, buffer);
      hash.update(buffer.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}
