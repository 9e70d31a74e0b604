import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { hasCode } from '../../core/error.ts';
import { Repository, type RepositoryLock } from '../../core/repository/index.ts';
import { type Home, home, inside, yamlFor } from '../cmd/kit.ts';
import { localStore, noProgress, noSignal, openOptions, sha256 } from '../core/repository/repository-kit.ts';
import { assertSameDescriptions, describeTree, type TreeDescription } from '../kit/compare-trees.ts';
import { type Ran, run } from '../kit/process.ts';
import { tempFolder } from '../kit/temp.ts';
import { type Random, seededRandom } from './random.ts';
import { changeSource } from './source.ts';

/** What one action came to. A snapshot is told by its first id, whatever becomes of it. */
interface Outcome {
  readonly did: string;
  readonly added?: number;
  readonly gone?: string;
  /** A file that is in no backup of this snapshot any more. */
  readonly without?: { readonly key: string; readonly path: string };
}

interface Listed {
  readonly id: string;
  readonly key: string;
}

interface CheckTold {
  readonly verdict?: string;
  readonly findings?: readonly { readonly kind: string }[];
  readonly error?: { readonly code: string };
}

type Action = (turns: Turns) => Promise<Outcome>;

/**
 * One repository that tidemark, with two catalogs, and stock restic of some versions write to, in turn and at once. Every
 * turn knows which snapshots there must be afterwards, and what each of them restores to.
 */
export class Turns {
  readonly #at: Home;
  readonly #restics: readonly string[];
  readonly #random: Random;
  readonly #folder: string;
  readonly #expected = new Map<string, TreeDescription>();
  #listed: readonly Listed[] = [];
  /** By id, of all that ever were: `tag` keeps the first id as `original`, `rewrite` puts the last one there. */
  readonly #keys = new Map<string, string>();
  /** Snapshots that an action of this turn changes: no other one takes them. */
  #taken = new Set<string>();
  /** What was done, newest last: the way to a fault. */
  readonly log: string[] = [];

  private constructor(at: Home, restics: readonly string[], random: Random, folder: string) {
    this.#at = at;
    this.#restics = restics;
    this.#random = random;
    this.#folder = folder;
  }

  static async start(t: TestContext, seed: string, restics: readonly string[]): Promise<Turns> {
    const at = await home(t);
    const yaml = yamlFor(at.folder).replace('daemon: {', 'daemon: { prune: { grace: 1s, maxUnused: "0%" },');
    await at.write(yaml);
    await writeFile(join(at.folder, 'twin.yaml'), yaml.replace('catalog.db', 'twin.db'));
    const turns = new Turns(at, restics, seededRandom(seed), await tempFolder(t));
    await turns.ours('apply', '--auto-approve');
    await turns.ours('apply', '--auto-approve', '--config', 'twin.yaml');
    for (const action of [backup, resticBackup, backup, resticBackup]) await turns.turn([action]);
    return turns;
  }

  /** One to three actions, at once; then a look whether exactly those snapshots are there that should be. */
  async turn(actions = this.#draw()): Promise<void> {
    changeSource(this.#at.data, this.#random);
    this.#taken = new Set();
    const outcomes = await Promise.all(actions.map((action) => action(this)));
    this.log.push(outcomes.map(({ did }) => did).join(' | '));
    await this.#reconcile(outcomes);
  }

  #draw(): readonly Action[] {
    return Array.from({ length: this.#random.pick([1, 1, 2, 3]) }, () => this.#random.pick(weighted));
  }

  /** `restic check --read-data` by every restic, and whole snapshots: all, or one by each way of restoring. */
  async judge(which: 'all' | 'some'): Promise<void> {
    for (const program of this.#restics) await this.restic(['check', '--read-data'], program);
    await this.ours('catalog', 'import', 'disk');
    const some = which === 'all' ? this.#listed : [this.#random.pick(this.#listed)];
    for (const one of some) {
      await this.#compare(one.key, (target) => this.#download(one, target));
      await this.#compare(one.key, (target) => this.restic(['restore', one.id, '--target', target]));
    }
  }

  /** Rejects when it fails otherwise than by a lock; undefined then. */
  async restic(args: readonly string[], program = this.#random.pick(this.#restics)): Promise<Ran | undefined> {
    const common = ['--repo', this.#at.repository, '--no-cache', '--password-file', join(this.#at.folder, 'password')];
    const ran = await run(program, [...common, ...args], { timeoutMs: 120_000 });
    if (/already locked/.test(ran.stderr)) return undefined;
    assert.equal(
      ran.code,
      0,
      `${args.join(' ')}\n${ran.stdout.slice(-2000)}${ran.stderr.slice(-2000)}\n${this.history}`,
    );
    return ran;
  }

  /** As `restic`, with a verb of tidemark's. */
  async ours(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await inside([...args, '--json'], { cwd: this.#at.folder });
    if (/"code": "(REPOSITORY_LOCKED|JOB_CONFLICT)"/.test(stdout)) return undefined;
    assert.equal(code, 0, `${args.join(' ')}\n${stdout.slice(-2000)}${stderr.slice(-2000)}\n${this.history}`);
    return JSON.parse(stdout);
  }

  /** Undefined when somebody else has a lock that keeps us out. */
  async ourRepository<Result>(
    kind: 'shared' | 'exclusive',
    work: (repository: Repository, lock: RepositoryLock) => Promise<Result>,
  ): Promise<Result | undefined> {
    const repository = await Repository.open(openOptions(await localStore(this.#at.repository)));
    try {
      await using lock = await repository.lock(kind, noSignal, 'prune');
      return await work(repository, lock);
    } catch (error) {
      if (hasCode(error, 'REPOSITORY_LOCKED')) return undefined;
      throw new Error(`${String(error)}\n${this.history}`, { cause: error });
    }
  }

  get history(): string {
    return this.log.slice(-40).join('\n');
  }

  /** The last restic, where there are several. */
  get newest(): string | undefined {
    return this.#restics.length > 1 ? this.#restics.at(-1) : undefined;
  }

  get data(): string {
    return this.#at.data;
  }

  get random(): Random {
    return this.#random;
  }

  /** A snapshot that no other action of this turn has. */
  take(): Listed | undefined {
    const free = this.#listed.filter(({ key }) => !this.#taken.has(key));
    if (free.length < 3) return undefined; // something must be left to lose
    const one = this.#random.pick(free);
    this.#taken.add(one.key);
    return one;
  }

  filesOf(key: string): string[] {
    return [...this.#expected.get(key)!].filter(([, { size }]) => size !== undefined).map(([path]) => path);
  }

  digestOf(key: string, path: string): unknown {
    return this.#expected.get(key)!.get(path)!.content;
  }

  async restoreBy(one: Listed, restore: (target: string) => Promise<unknown>): Promise<string> {
    return (await this.#compare(one.key, restore)) ? 'restored' : 'locked';
  }

  async ourDownload(one: Listed): Promise<string> {
    if ((await this.ours('catalog', 'import', 'disk')) === undefined) return 'locked';
    return this.restoreBy(one, (target) => this.#download(one, target));
  }

  /** The catalog may list what somebody else removes meanwhile, and no index names yet what somebody writes: that is all. */
  async ourCheck(args: readonly string[]): Promise<string> {
    if ((await this.ours('catalog', 'import', 'disk')) === undefined) return 'locked';
    const { code, stdout, stderr } = await inside(['repository', 'check', 'disk', '--json', ...args], {
      cwd: this.#at.folder,
    });
    const { verdict, findings = [], error } = JSON.parse(stdout || '{}') as CheckTold;
    if (error?.code === 'REPOSITORY_LOCKED') return 'locked';
    const found = findings.filter(({ kind }) => !['key-weak', 'snapshot-gone', 'pack-unindexed'].includes(kind));
    assert.deepEqual(found, [], this.history);
    assert([0, 10].includes(code) && verdict !== undefined, `${stdout}${stderr}\n${this.history}`);
    return verdict;
  }

  /**
   * The verb. What somebody else forgets after the import is lost to the catalog, so that nothing is freed; what is in
   * the way of a removal makes it `partial`.
   */
  async ourPrune(args: readonly string[]): Promise<string> {
    if ((await this.ours('catalog', 'import', 'disk')) === undefined) return 'locked';
    const told = await inside(['prune', '--auto-approve', '--json', ...args], { cwd: this.#at.folder });
    const text = `${told.stdout}${told.stderr}\n${this.history}`;
    const [{ job, error }] = JSON.parse(told.stdout).destinations;
    if (error?.code === 'REPOSITORY_LOCKED' || error?.code === 'JOB_CONFLICT') return 'locked';
    if (error?.code === 'REPOSITORY_CORRUPT' && /catalog lists \d+ backup/.test(error.message)) return 'refused';
    assert([0, 4].includes(told.code) && error === undefined, text);
    assert.equal(job.result.expiredCount, 0, `no retention lets anything go: ${text}`);
    return JSON.stringify({ ...job.result, waiting: job.result.waiting.length });
  }

  /** The verb; whether it was locked out, or the copy is gone. */
  async ourDelete({ id }: Listed): Promise<boolean> {
    if ((await this.ours('catalog', 'import', 'disk')) === undefined) return false;
    const { backups } = (await this.ours('backups')) as { backups: { id: string; snapshot: string }[] };
    const known = backups.find(({ snapshot }) => snapshot === id);
    assert(known, `the catalog does not know snapshot ${id}\n${this.history}`);
    const deleted = await this.ours('delete', known.id, '--auto-approve', '--even-the-last');
    if (deleted === undefined) return false;
    const [copy] = (deleted as { backups: { deleted: boolean }[] }).backups;
    assert(copy!.deleted, `${JSON.stringify(deleted)}\n${this.history}`);
    return true;
  }

  async #download({ id }: Listed, target: string): Promise<unknown> {
    const { backups } = (await this.ours('backups')) as { backups: { id: string; snapshot: string }[] };
    const known = backups.find(({ snapshot }) => snapshot === id);
    assert(known, `the catalog does not know snapshot ${id}\n${this.history}`);
    return this.ours('download', known.id, '-o', target);
  }

  async #compare(key: string, restore: (target: string) => Promise<unknown>): Promise<boolean> {
    const target = join(this.#folder, `out-${key.slice(0, 8)}-${this.#random.below(1_000_000)}`);
    if ((await restore(target)) === undefined) return false;
    assertSameDescriptions(describeTree(join(target, this.#at.data)), this.#expected.get(key)!);
    await rm(target, { recursive: true });
    return true;
  }

  async #reconcile(outcomes: readonly Outcome[]): Promise<void> {
    for (const { gone, without } of outcomes) {
      if (gone !== undefined) this.#expected.delete(gone);
      if (without !== undefined) this.#expected.get(without.key)!.delete(without.path);
    }
    this.#listed = await this.#list();
    const present = this.#listed.map(({ key }) => key);
    const added = present.filter((key) => !this.#expected.has(key));
    const lost = [...this.#expected.keys()].filter((key) => !present.includes(key));
    assert.deepEqual(lost, [], `snapshots are lost\n${this.history}`);
    assert.equal(
      added.length,
      outcomes.reduce((sum, one) => sum + (one.added ?? 0), 0),
      `added\n${this.history}`,
    );
    const now = describeTree(this.#at.data);
    for (const key of added) this.#expected.set(key, new Map(now));
  }

  async #list(): Promise<readonly Listed[]> {
    const ran = await this.restic(['snapshots', '--json', '--no-lock'], this.#restics[0]);
    const all = JSON.parse(ran!.stdout) as { id: string; original?: string }[];
    for (const { id, original = id } of all)
      this.#keys.set(id, this.#keys.get(id) ?? this.#keys.get(original) ?? original);
    return all.map(({ id }) => ({ id, key: this.#keys.get(id)! }));
  }
}

const work = { threads: 1, progress: noProgress, signal: noSignal };

const backup: Action = async (turns) => {
  const twin = turns.random.below(3) === 0 ? ['--config', 'twin.yaml'] : [];
  const made = await turns.ours('backup', 'docs-daily', ...twin);
  return {
    did: `our backup ${twin.join(' ')} ${made === undefined ? 'locked' : 'made'}`,
    added: made === undefined ? 0 : 1,
  };
};

const resticBackup: Action = async (turns) => {
  const made = await turns.restic(['backup', turns.data]);
  return { did: `restic backup ${made === undefined ? 'locked' : 'made'}`, added: made === undefined ? 0 : 1 };
};

const forget: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to forget' };
  const ran = await turns.restic(['forget', one.id]);
  return ran === undefined ? { did: 'forget locked' } : { did: `forget ${one.key.slice(0, 8)}`, gone: one.key };
};

const tag: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to tag' };
  const ran = await turns.restic(['tag', '--add', `tag${turns.random.below(100)}`, one.id]);
  return { did: `tag ${one.key.slice(0, 8)} ${ran === undefined ? 'locked' : ''}` };
};

const prune: Action = async (turns) => {
  const unused = turns.random.pick(['0', '5%', 'unlimited']);
  const ran = await turns.restic(['prune', '--max-unused', unused, ...turns.random.pick([[], ['--repack-small']])]);
  return { did: `restic prune ${unused} ${ran === undefined ? 'locked' : ''}` };
};

/** Only with a second, newer restic: the installed one may be too old to know it. */
const rewrite: Action = async (turns) => {
  const one = turns.newest === undefined ? undefined : turns.take();
  if (one === undefined) return { did: 'nothing to rewrite' };
  const path = turns.random.pick(turns.filesOf(one.key));
  const args = ['rewrite', '--forget', '--exclude', join(turns.data, path), one.id];
  if ((await turns.restic(args, turns.newest)) === undefined) return { did: 'rewrite locked' };
  return { did: `rewrite ${one.key.slice(0, 8)} without ${path}`, without: { key: one.key, path } };
};

const dump: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to dump' };
  const path = turns.random.pick(turns.filesOf(one.key));
  const ran = await turns.restic(['dump', one.id, join(turns.data, path)]);
  if (ran !== undefined) assert.equal(sha256(ran.stdoutBytes), turns.digestOf(one.key, path), turns.history);
  return { did: `dump ${one.key.slice(0, 8)} ${ran === undefined ? 'locked' : ''}` };
};

const resticRestore: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to restore' };
  return {
    did: `restic ${await turns.restoreBy(one, (target) => turns.restic(['restore', one.id, '--target', target]))}`,
  };
};

const ourRestore: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to restore' };
  return { did: `we ${await turns.ourDownload(one)}` };
};

/** With no grace what nothing needs goes soon, and what a prune of a second ago marked goes now. */
const ourPrune: Action = async (turns) => {
  const { random } = turns;
  const now = random.below(6) === 0;
  const maxUnused = random.pick([{ bytes: 0 }, { percent: 5 }, 'unlimited'] as const);
  const graceMs = random.pick([0, 0, 0, 3000]);
  const result = await turns.ourRepository(now ? 'exclusive' : 'shared', async (repository, lock) =>
    repository.prune(await repository.planPrune(lock, { maxUnused, graceMs, now }, work), work),
  );
  return { did: `our prune ${now ? 'now ' : ''}${result === undefined ? 'locked' : JSON.stringify(result)}` };
};

const pruneVerb: Action = async (turns) => {
  const args = turns.random.below(6) === 0 ? ['--now'] : [];
  return { did: `tidemark prune ${args.join('')} ${await turns.ourPrune(args)}` };
};

const deleteVerb: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to delete' };
  const gone = await turns.ourDelete(one);
  return gone ? { did: `tidemark delete ${one.key.slice(0, 8)}`, gone: one.key } : { did: 'tidemark delete locked' };
};

const ourCheck: Action = async (turns) => ({
  did: `our check ${await turns.ourCheck(turns.random.pick([[], ['--read-all']]))}`,
});

const ourForget: Action = async (turns) => {
  const one = turns.take();
  if (one === undefined) return { did: 'nothing to forget' };
  const done = await turns.ourRepository('shared', async (repository, lock) => {
    await repository.forget(lock, [one.id], noSignal);
    return true;
  });
  return done ? { did: `our forget ${one.key.slice(0, 8)}`, gone: one.key } : { did: 'our forget locked' };
};

const maintenance: Action = async (turns) => {
  const args = turns.random.pick([['check'], ['rebuild-index'], ['unlock']]);
  const ran = await turns.restic(args);
  return { did: `restic ${args.join(' ')} ${ran === undefined ? 'locked' : ''}` };
};

const weighted: readonly Action[] = [
  ...[backup, backup, backup, backup, resticBackup, resticBackup, resticBackup, forget, forget],
  ...[ourPrune, ourPrune, ourPrune, pruneVerb, pruneVerb, ourForget, deleteVerb, ourCheck],
  ...[tag, prune, prune, rewrite, dump, resticRestore, ourRestore, maintenance],
];
