import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import type { Fixture } from '../fixture.ts';

/** A blob's place in a pack, as restic's own reading of the index says. */
export interface Place {
  readonly id: string;
  readonly type: 'data' | 'tree';
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
}

/** Every place that the index files name. */
export async function placesOf({ folder, restic }: Fixture): Promise<Place[]> {
  const places: Place[] = [];
  for (const id of fs.readdirSync(join(folder, 'repository/index'))) {
    const { packs } = JSON.parse((await restic(['cat', 'index', id])).stdout);
    for (const pack of packs) for (const blob of pack.blobs) places.push({ ...blob, pack: pack.id });
  }
  return places;
}

/** Where a small file's only blob lies. */
export function placesOfBytes(places: readonly Place[], bytes: Uint8Array): [Place, ...Place[]] {
  const id = crypto.hash('sha256', bytes);
  const found = places.filter((place) => place.id === id);
  assert(found.length > 0, 'the bytes are no blob');
  return found as [Place, ...Place[]];
}

/** Where the tree of a folder lies: `names` lead to it from the root of the newest snapshot. */
export async function placeOfFolder({ restic }: Fixture, places: readonly Place[], names: string[]): Promise<Place> {
  const [snapshot] = JSON.parse((await restic(['snapshots', '--json', '--latest', '1'])).stdout);
  let id: string = snapshot.tree;
  for (const name of names) {
    const { nodes } = JSON.parse((await restic(['cat', 'blob', id])).stdout);
    id = nodes.find((node: { name: string }) => node.name === name).subtree;
  }
  return places.find((place) => place.id === id)!;
}

export function packPath({ folder }: Fixture, pack: string): string {
  return join(folder, 'repository/data', pack.slice(0, 2), pack);
}

export function flipByte(path: string, at: number): void {
  const bytes = fs.readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 4;
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, bytes);
}

export function flipBlob(fixture: Fixture, { pack, offset, length }: Place): void {
  flipByte(packPath(fixture, pack), offset + (length >> 1));
}

export function randomBytes(seed: string, sizeBytes: number): Buffer {
  const key = crypto.hash('sha256', seed, 'buffer');
  return crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

/** Every file below a folder: path to bytes. */
export function contentsOf(folder: string): Map<string, Buffer> {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.sort().map((path) => [path.slice(folder.length), fs.readFileSync(path)]));
}

/** Fails unless every file below `restored` is as in `source`; gives the paths that are missing. */
export function missingFrom(restored: string, source: string): string[] {
  const [found, wanted] = [contentsOf(restored), contentsOf(source)];
  for (const [path, bytes] of found) assert(wanted.get(path)?.equals(bytes), `${path} is not what was backed up`);
  return [...wanted.keys()].filter((path) => !found.has(path));
}
