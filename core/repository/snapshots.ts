import type { SealedObjects } from './objects.ts';

/** A snapshot document of restic's format. `id` is the name of the object. */
export interface Snapshot {
  readonly id: string;
  readonly time: string;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly tags: readonly string[];
  readonly parent?: string;
  /** The snapshot that this one was made from, by a repair or by a tool that rewrites snapshots. */
  readonly original?: string;
  /** The snapshot in whose place a repair put this one. Of ours: restic knows no such field. */
  readonly replaces?: string;
}

export interface NewSnapshot extends Omit<Snapshot, 'id'> {
  readonly programVersion: string;
}

/** What its tags say of a backup of tidemark's: its id, plan and type; nothing of what other programs wrote. */
export function taggedBackup({ tags }: Pick<Snapshot, 'tags'>): { backup?: string; plan?: string; type?: string } {
  const tagged = (name: string) => tags.find((tag) => tag.startsWith(name))?.slice(name.length);
  const [backup, plan, type] = ['id:', 'plan:', 'type:'].map(tagged);
  if (!tags.includes('tidemark') || backup === undefined) return {};
  return { backup, ...(plan !== undefined && { plan }), ...(type !== undefined && { type }) };
}

/** Makes a backup visible: the last object that a backup writes. */
export function writeSnapshot(objects: SealedObjects, snapshot: NewSnapshot): Promise<string> {
  const { programVersion, parent, ...rest } = snapshot;
  return objects.put('snapshots', { ...rest, ...(parent && { parent }), program_version: programVersion });
}

export async function readSnapshot(objects: SealedObjects, id: string, signal?: AbortSignal): Promise<Snapshot> {
  const { time, tree, paths, hostname, username, tags, parent, original, replaces } = (await objects.get(
    'snapshots',
    id,
    signal,
  )) as Partial<Snapshot>;
  return {
    id,
    time: time ?? '',
    tree: tree ?? '',
    paths: paths ?? [],
    hostname: hostname ?? '',
    username: username ?? '',
    tags: tags ?? [],
    parent,
    ...(original !== undefined && { original }),
    ...(replaces !== undefined && { replaces }),
  };
}
