/** Backups whose name says what is in them, so that whoever finds one knows what it must restore to. */
import type { Content } from '../../../../core/driver/index.ts';
import type { Repository, Snapshot } from '../../../../core/repository/index.ts';
import { fileNode, folderNode, noProgress, noSignal, randomBytes } from '../light-kit.ts';
import type { Result, Setup, Task } from '../work-thread.ts';

const workThread = import.meta.resolve('../work-thread.ts');

const nameTag = 'name:';

export function nameOf({ tags }: Pick<Snapshot, 'tags'>): string {
  return tags.find((tag) => tag.startsWith(nameTag))!.slice(nameTag.length);
}

/** The files of the backup of this name, by path. One of them is in every backup. */
export function filesOf(name: string): ReadonlyMap<string, Buffer> {
  const files = new Map([['deep/shared', randomBytes('shared', 5000)]]);
  for (const path of ['deep/own', 'own']) files.set(path, randomBytes(`${name} ${path}`, 9000));
  return files;
}

/** Stores it under a lock and gives the snapshot's id. With `threads`, its content goes through data threads. */
export async function backUp(repository: Repository, name: string, threads = 0): Promise<string> {
  await using lock = await repository.lock('shared', noSignal, 'write');
  await using writing = await repository.write(lock, { threads, progress: noProgress, signal: noSignal });
  await using pool = threads > 0 ? await writing.threads<Setup, Task, Result>(workThread, {}) : undefined;
  const chunking = { by: 'content' } as const;
  const store = async (bytes: Buffer, thread: number) =>
    pool === undefined
      ? writing.content(bytes)
      : ((await pool.runOn(thread % threads, { kind: 'write', chunking, pieces: [bytes] })) as Content);
  const files = [...filesOf(name)];
  const contents = await Promise.all(files.map(([, bytes], at) => store(bytes, at)));
  const nodes = files.map(([path], at) => fileNode(path.replace('deep/', ''), contents[at]!));
  const below = await writing.tree(nodes.slice(0, 2).sort((a, b) => (a.name < b.name ? -1 : 1)));
  const tree = await writing.tree([folderNode('deep', below), nodes[2]!]);
  const about = { paths: ['/'], hostname: 'test-host', username: 'tester', programVersion: 'tidemark test' };
  const snapshot = { ...about, time: new Date().toISOString(), tree, tags: ['tidemark', `${nameTag}${name}`] };
  return await writing.commit(snapshot, lock.signal); // before the lock goes
}
