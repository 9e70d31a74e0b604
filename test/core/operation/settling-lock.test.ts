import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { appendFile, chmod, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { unlessAborted } from '../../../core/abort.ts';
import type { Drivers } from '../../../core/config/index.ts';
import type { BackupSink, DestinationDriver, SourceDriver, Store } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import type { SealedObjects } from '../../../core/repository/objects.ts';
import { drivers } from '../../../drivers/index.ts';
import { home, inside } from '../../cmd/kit.ts';
import { waitFor } from '../../kit/process.ts';
import { localStore } from '../repository/repository-kit.ts';
import { partsOf } from '../repository/walk/parts-of.ts';

/** What was begun of a source, and what of that has ended. */
interface Work {
  begun: number;
  trees: number;
  ended: number;
}

/** The look at the locks that decides whether ours is ours: not before the third of a store. It waits until the test lets it happen. */
interface LastLook {
  isDue: boolean;
  readonly happens: PromiseWithResolvers<void>;
}

/**
 * A repository with one backup of a tree that has changed since. `verb` begins one whose lock settles when the test says
 * so. `data`: not only a tree changed, so that packs of a thread wait for the lock, and the source for them.
 * `stays`: the source is not left before it has to be.
 */
async function changed(t: TestContext, { abort = new AbortController(), data = false, stays = false } = {}) {
  const place = await home(t);
  await place.inside('apply', '--auto-approve');
  assert.equal((await place.inside('backup', 'docs-daily')).code, 0);
  if (data) await appendFile(join(place.data, 'one.txt'), 'and more\n');
  else await chmod(join(place.data, 'one.txt'), 0o640);
  const { objects } = await partsOf(await localStore(place.repository));
  const work: Work = { begun: 0, trees: 0, ended: 0 };
  const verb = (...args: string[]) => {
    const look: LastLook = { isDue: false, happens: Promise.withResolvers<void>() };
    const settling: Drivers = {
      sources: drivers.sources.map((driver) => noting(driver, work, stays)),
      destinations: drivers.destinations.map((driver) => waiting(driver, look)),
    };
    const surroundings = { cwd: place.folder, drivers: async () => settling, ending: abort.signal };
    return { look, ending: inside(args, surroundings) };
  };
  const files = () => stored(place.repository);
  return { ...place, work, objects, verb, files, before: files() };
}

function waiting(driver: DestinationDriver, look: LastLook): DestinationDriver {
  return {
    ...driver,
    async open(settings, context) {
      const store = await driver.open(settings, context);
      let looks = 0;
      const list: Store['list'] = async function* (prefix, signal) {
        if (prefix === 'locks/' && ++looks >= 3) {
          look.isDue = true;
          await unlessAborted(look.happens.promise, signal);
        }
        yield* store.list(prefix, signal);
      };
      return replaced(store, { list });
    },
  };
}

/** Everything in a repository but locks, with its content. */
function stored(repository: string): Map<string, string> {
  const names = readdirSync(repository, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const kept = files.filter((path) => !path.includes('/locks/')).sort();
  return new Map(kept.map((path) => [path, readFileSync(path, 'latin1')]));
}

function noting(driver: SourceDriver, work: Work, stays: boolean): SourceDriver {
  return {
    ...driver,
    async open(settings, context) {
      const session = await driver.open(settings, context);
      return {
        probe: (signal) => session.probe(signal),
        restore: (request, reader) => session.restore(request, reader),
        async backup(request, sink) {
          work.begun += 1;
          try {
            const result = await session.backup(request, noted(sink, work));
            if (work.begun > 1) await delay(1500); // a job tells its progress once a second
            if (stays) await new Promise((_, reject) => request.signal.addEventListener('abort', reject));
            return result;
          } finally {
            work.ended += 1;
          }
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      };
    },
  };
}

/** Folders are stored when what is in them has been read. */
function noted(sink: BackupSink, work: Work): BackupSink {
  const note = <Args extends unknown[]>(call: (...args: Args) => Promise<string>) => {
    return (...args: Args) => {
      work.trees += 1;
      return call(...args);
    };
  };
  return replaced(sink, {
    tree: note((nodes) => sink.tree(nodes)),
    encodedTree: note((nodes, subtrees) => sink.encodedTree(nodes, subtrees)),
  });
}

function replaced<T extends object>(whole: T, methods: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const value = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function anothersLock(objects: SealedObjects, use: 'prune' | 'gate'): Promise<string> {
  const time = new Date().toISOString();
  const by = { hostname: 'another', username: 'tester', pid: 1, holder: 'ANOTHER' };
  return objects.put('locks', { time, exclusive: true, ...by, use });
}

/** Another's lock appears, and then it is looked for: when all has been done that is done without that look. */
async function meet(one: Awaited<ReturnType<typeof changed>>, { look, ending }: ReturnType<typeof one.verb>) {
  await waitFor('the last look', () => look.isDue);
  await delay(300);
  const lock = await anothersLock(one.objects, 'prune');
  look.happens.resolve();
  const { code, stderr } = await ending;
  assert.notEqual(code, 0);
  assert.match(stderr, /REPOSITORY_LOCKED: repository is exclusively locked by tester@another/);
  assert.deepEqual(one.files(), one.before, 'nothing was written');
  assert.deepEqual(await readdir(join(one.repository, 'locks')), [lock], 'ours is gone');
  assert.equal(one.work.ended, one.work.begun, 'all that was begun has ended');
  await waitFor('all threads to end', () => !process.getActiveResourcesInfo().includes('MessagePort'));
  await one.objects.delete('locks', [lock]);
}

for (const [when, how] of Object.entries({
  'with data that waits': { data: true },
  'with the tree alone': {},
  'in the midst of its source': { stays: true },
})) {
  test(`a backup is refused by a lock that comes at once with its own, ${when}: nothing is written or recorded`, async (t) => {
    const one = await changed(t, how);
    const backup = one.verb('backup', 'docs-daily');
    await waitFor('the source to be read', () => one.work.trees > 1);
    await meet(one, backup);
    assert.equal(JSON.parse((await one.inside('backups', '--json')).stdout).backups.length, 1);
  });
}

test('a backup in whose wait the gate of a prune appears begins again when it is gone, and is made once', async (t) => {
  const one = await changed(t);
  const { look, ending } = one.verb('backup', 'docs-daily', '--json');
  await waitFor('the backup to have read', () => one.work.ended > 0);
  const gate = await anothersLock(one.objects, 'gate');
  look.happens.resolve();
  await waitFor('our lock to go', async () => (await readdir(join(one.repository, 'locks'))).length === 1);
  assert.deepEqual(one.files(), one.before);
  await one.objects.delete('locks', [gate]);
  const { code, stdout, stderr } = await ending;
  assert.equal(code, 0, stderr);
  assert.deepEqual([one.work.begun, one.work.ended], [2, 2]);
  const { job } = JSON.parse(stdout);
  assert(job.result.addedBytes > 0);
  assert(job.progress.doneItems <= job.result.items, `${job.progress.doneItems} files are counted, some twice`);
  assert.equal((await readdir(join(one.repository, 'snapshots'))).length, 2);
  assert.equal((await one.inside('repository', 'check', 'disk', '--read-all')).code, 0);
});

test('a backup that is cancelled while its lock settles leaves nothing', async (t) => {
  for (const data of [true, false]) {
    const abort = new AbortController();
    const one = await changed(t, { abort, data });
    const { ending } = one.verb('backup', 'docs-daily');
    await waitFor('the source to be read', () => one.work.trees > 1);
    abort.abort(new TidemarkError('CANCELLED', 'ended by SIGINT'));
    assert.match((await ending).stderr, /CANCELLED/);
    assert.deepEqual(one.files(), one.before);
    assert.deepEqual(await readdir(join(one.repository, 'locks')), []);
    assert.equal(one.work.ended, one.work.begun);
  }
});

test('what fails while the lock settles is told when the lock is ours, and else that it is not', async (t) => {
  const one = await changed(t);
  await rename(one.data, `${one.data}-away`);
  const alone = one.verb('backup', 'docs-daily');
  alone.look.happens.resolve();
  assert.match((await alone.ending).stderr, /SOURCE_UNREACHABLE/);
  const backup = one.verb('backup', 'docs-daily');
  await waitFor('the source to fail', () => one.work.ended === 2);
  await meet(one, backup);
  for (const name of await readdir(join(one.repository, 'snapshots')))
    await rm(join(one.repository, 'snapshots', name));
  one.before = one.files();
  const restore = ['restore', 'docs', '--into', './restored', '--auto-approve'];
  await meet(one, one.verb(...restore));
  assert.match((await one.inside(...restore)).stderr, /BACKUP_NOT_FOUND/);
});

test('a restore is refused before it touches anything, and a check tells nothing', async (t) => {
  const one = await changed(t);
  await meet(one, one.verb('restore', 'docs', '--into', 'docs', '--overwrite', '--auto-approve'));
  assert.equal((await stat(join(one.data, 'one.txt'))).mode & 0o777, 0o640);
  await meet(one, one.verb('repository', 'check', 'disk'));
  await meet(one, one.verb('repository', 'stats', 'disk'));
  const { stdout } = await one.inside('status', '--json');
  assert.equal(JSON.parse(stdout).destinations[0].checkedAt, undefined);
});
