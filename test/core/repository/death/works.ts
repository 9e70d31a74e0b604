/** What is done to a repository until it dies: in a process that is killed, or on a disk that gets full. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../../../../core/driver/index.ts';
import { type PruneOptions, type PruneResult, Repository } from '../../../../core/repository/index.ts';
import { Secret } from '../../../../core/secret.ts';
import { fastClock } from '../../../kit/fast-clock.ts';
import { noProgress, noSignal, openOptions, password } from '../light-kit.ts';
import { backUp, nameOf } from './backups.ts';

export interface Work {
  /** Names of backups that are there before, and that must be there afterwards. */
  readonly base: readonly string[];
  /** Names of backups that are there before, and that may be there afterwards. */
  readonly goes?: readonly string[];
  /** `report` is called with the name of a backup when the caller would say that it is stored. */
  run(store: Store, report: (name: string) => void): Promise<void>;
}

/** As a process of its own opens it: whoever else is in the locks is dead. */
export function openAlone(store: Store, more: Parameters<typeof openOptions>[1] = {}): Promise<Repository> {
  return Repository.open(openOptions(store, { processAlive: (pid) => pid === process.pid, ...more }));
}

export type Works = Readonly<Record<string, Work>>;

export const backupWorks: Works = {
  'a first backup': {
    base: [],
    run: async (store, report) => {
      await backUp(await openAlone(store), 'new');
      report('new');
    },
  },
  'a further backup': {
    base: ['old'],
    run: async (store, report) => {
      await backUp(await openAlone(store), 'new');
      report('new');
    },
  },
  'a backup through data threads': {
    base: ['old'],
    run: async (store, report) => {
      await backUp(await openAlone(store), 'new', 2);
      report('new');
    },
  },
  'a backup whose lock is refreshed': {
    base: ['old'],
    run: async (store, report) => {
      const clock = fastClock(300); // five minutes in a second; the lock is lost after four, which a busy machine may take
      const repository = await openAlone(store, { clock });
      await using lock = await repository.lock('shared', noSignal, 'write');
      await delay(1_100);
      await lock.confirm();
      await backUp(await openAlone(store, { clock }), 'new');
      report('new');
    },
  },
  'the change of a password': {
    base: ['old'],
    run: async (store) => {
      const other = new Secret('another password');
      const added = await (await openAlone(store)).addKey(other);
      const repository = await openAlone(store, { password: other });
      await repository.addKey(new Secret(password));
      const [first] = (await repository.keys()).filter(({ id, current }) => !current && id !== added);
      await repository.removeKey(first!.id);
    },
  },
};

export const pruneWorks: Works = {
  'a prune that marks, and one that removes': {
    goes: ['first', 'third'],
    base: ['second', 'fourth'],
    run: async (store) => {
      await forget(await openAlone(store), 'first', 'third');
      await prune(await openAlone(store), thorough);
      await prune(await openAlone(store), thorough);
    },
  },
  'a prune at once': {
    goes: ['first', 'third'],
    base: ['second', 'fourth'],
    run: async (store) => {
      await forget(await openAlone(store), 'first', 'third');
      await prune(await openAlone(store), { ...thorough, now: true });
    },
  },
};

export const works: Works = { ...backupWorks, ...pruneWorks };

const thorough: PruneOptions = { maxUnused: { bytes: 0 }, graceMs: 0, now: false };

async function forget(repository: Repository, ...names: string[]): Promise<void> {
  await using lock = await repository.lock('shared', noSignal, 'prune');
  const snapshots = await Array.fromAsync(repository.snapshots());
  const ids = snapshots.filter((one) => names.includes(nameOf(one))).map(({ id }) => id);
  await repository.forget(lock, ids, noSignal);
}

/** As the judge does it after each death. */
export async function prune(repository: Repository, options: PruneOptions = thorough): Promise<PruneResult> {
  await using lock = await repository.lock(options.now ? 'exclusive' : 'shared', noSignal, 'prune');
  const work = { threads: 1, progress: noProgress, signal: noSignal };
  return await repository.prune(await repository.planPrune(lock, options, work), work);
}
