import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckOptions, CheckReport, Repository } from '../../../../core/repository/index.ts';
import { fileNode, folderNode, noProgress, noSignal, type Place, randomBytes, writeBackup } from '../repository-kit.ts';

export const work = { threads: 1, progress: noProgress, signal: noSignal };

export async function check(repository: Repository, options: Partial<CheckOptions> = {}): Promise<CheckReport> {
  await using _ = await repository.lock('shared', noSignal);
  return await repository.check({ read: 'none', destination: 'test', known: [], ...options }, work);
}

/** What was found, as `kind object: text -> paths`; not that keys of tests are cheap. */
export function told({ findings }: CheckReport): string[] {
  const others = findings.filter(({ kind }) => kind !== 'key-weak');
  return others.map(({ kind, object, text, hurts }) => {
    const paths = hurts.flatMap((one) => one.paths);
    return `${kind} ${object}: ${text}${paths.length === 0 ? '' : ` -> ${paths.join(' ')}`}`;
  });
}

/** A backup of two files, one in a folder, each of two blobs of its own; gives the snapshot's id. */
export async function twoFiles({ repository }: Pick<Place, 'repository'>, seed: string): Promise<string> {
  const { id } = await writeBackup(repository, async (sink) => {
    const one = await sink.content(randomBytes(`${seed} one`, 600_000));
    const two = await sink.content(randomBytes(`${seed} two`, 600_000));
    const folder = await sink.tree([fileNode('two.bin', two)]);
    return [fileNode('one.bin', one), folderNode('folder', folder)];
  });
  return id;
}

/** Every file of the repository below this folder. */
export async function filesIn(folder: string, kind: string): Promise<string[]> {
  const found = await readdir(join(folder, kind), { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** Inverts a bit of the byte at this place, from the end when it is negative; of the middle one when left out. */
export async function flip(path: string, at?: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at === undefined ? bytes.length >> 1 : (at + bytes.length) % bytes.length]! ^= 4;
  await writeFile(path, bytes);
}
