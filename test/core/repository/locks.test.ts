import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../../core/clock.ts';
import type { Store } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { Repository, type RepositoryOptions } from '../../../core/repository/index.ts';
import { FaultyStore } from '../../kit/faulty-store.ts';
import { waitFor } from '../../kit/process.ts';
import { atEnd } from '../../kit/scope.ts';
import { tempFolder } from '../../kit/temp.ts';
import { coded, fileNode, newPlace, noSignal, openOptions, password, within, writeBackup } from './repository-kit.ts';

const minuteMs = 60_000;
/** Locks that settle as long as they ought to. */
const inEarnest = { lockSettleMs: undefined };

test('shared locks go together, an exclusive one excludes all', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  {
    await using one = await repository.lock('shared', noSignal);
    await using two = await repository.lock('shared', noSignal);
    await assert.rejects(
      repository.lock('exclusive', noSignal),
      coded('REPOSITORY_LOCKED', /locked by tester@test-host, process \d+, since 20/),
    );
    assert(!one.signal.aborted && !two.signal.aborted);
    assert.equal((await locksOf(store)).length, 2);
  }
  {
    await using _ = await repository.lock('exclusive', noSignal);
    await assert.rejects(repository.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /exclusively locked/));
    await assert.rejects(repository.lock('exclusive', noSignal), coded('REPOSITORY_LOCKED'));
  }
  assert.deepEqual(await locksOf(store), []);
});

test('of several exclusive requests at once, at most one gets the lock', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  const tries = await Promise.allSettled([1, 2, 3, 4].map(() => repository.lock('exclusive', noSignal)));
  const got = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of tries) if (one.status === 'rejected') coded('REPOSITORY_LOCKED')(one.reason);
  assert(got.length <= 1);
  for (const lock of got) await lock[Symbol.asyncDispose]();
  assert.deepEqual(await locksOf(store), []);
});

test('our exclusive lock keeps restic out, a shared one only from pruning', async (t) => {
  const { repository, restic } = await newPlace(t, inEarnest);
  {
    await using _ = await repository.lock('exclusive', noSignal);
    await assert.rejects(
      restic(['backup', import.meta.dirname]),
      /already locked exclusively by PID \d+ on test-host by tester/,
    );
  }
  {
    await using _ = await repository.lock('shared', noSignal);
    await restic(['backup', import.meta.dirname]);
    await assert.rejects(restic(['prune']), /already locked by PID \d+ on test-host by tester/);
  }
  await restic(['prune']);
});

test('a running restic lets us write and not prune', async (t) => {
  const { repository, folder, store } = await newPlace(t, inEarnest);
  await startEndlessBackup(t, folder);
  await waitFor('restic’s lock', async () => (await locksOf(store)).length > 0);
  {
    await using _ = await repository.lock('shared', noSignal);
  }
  await assert.rejects(repository.lock('exclusive', noSignal), coded('REPOSITORY_LOCKED', /locked by root@/));
});

test('a lock of a dead process here, or half an hour old, is removed and named', async (t) => {
  const { store } = await newPlace(t, inEarnest);
  const clock = new HandClock();
  const open = (more: Partial<RepositoryOptions>) =>
    Repository.open(openOptions(store, { clock, ...inEarnest, ...more }));
  const here = await open({ by: { host: 'here', user: 'crashed', pid: 4711 } });
  const there = await open({ by: { host: 'there', user: 'slow', pid: 4711 } });
  await here.lock('exclusive', noSignal); // never released: the process dies
  const survivor = await open({ by: { host: 'here', user: 'me', pid: 1 }, processAlive: (pid) => pid !== 4711 });
  {
    await using lock = await survivor.lock('shared', noSignal);
    assert.deepEqual(lock.recovered.length, 1);
    assert.match(lock.recovered[0]!, /^lock of crashed@here, process 4711, from 20/);
  }
  await there.lock('exclusive', noSignal);
  clock.forward(29 * minuteMs, { wake: false });
  await assert.rejects(survivor.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /slow@there/));
  clock.forward(2 * minuteMs, { wake: false });
  await using lock = await survivor.lock('shared', noSignal);
  assert.match(lock.recovered[0]!, /slow@there/);
  assert.equal((await locksOf(store)).length, 1);
});

test('a lock of a process that lives on this host is never stale, whatever our clock says; one of our own number may be', async (t) => {
  const { store } = await newPlace(t, inEarnest);
  const clock = new HandClock();
  const open = (pid: number) =>
    Repository.open(
      openOptions(store, { clock, ...inEarnest, by: { host: 'here', user: 'me', pid }, processAlive: () => true }),
    );
  const [one, two, again] = [await open(11), await open(12), await open(11)];
  await one.lock('exclusive', noSignal);
  clock.forward(5 * 365 * 24 * 60 * minuteMs, { wake: false });
  await assert.rejects(two.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /process 11/));
  await using _ = await again.lock('shared', noSignal);
});

test('a process that began after a lock was written has but the number of its holder: the lock is stale by its age', async (t) => {
  const { store } = await newPlace(t, inEarnest);
  const clock = new HandClock();
  const began = new Date(clock.now().getTime() + minuteMs);
  const open = (pid: number) =>
    Repository.open(
      openOptions(store, {
        clock,
        ...inEarnest,
        by: { host: 'here', user: 'me', pid },
        processAlive: (_, since) => since === undefined || began <= since,
      }),
    );
  const [gone, other] = [await open(11), await open(12)];
  await gone.lock('exclusive', noSignal);
  clock.forward(29 * minuteMs, { wake: false });
  await assert.rejects(other.lock('shared', noSignal), coded('REPOSITORY_LOCKED', /process 11/));
  clock.forward(2 * minuteMs, { wake: false });
  await using _ = await other.lock('shared', noSignal);
});

test('a lock that the gate of a prune takes away is named by the lock above it', async (t) => {
  const { store } = await newPlace(t, inEarnest);
  const clock = new HandClock();
  const open = (host: string) =>
    Repository.open(openOptions(store, { clock, ...inEarnest, by: { host, user: 'me', pid: 1 } }));
  const [here, there] = [await open('here'), await open('there')];
  await using lock = await here.lock('shared', noSignal, 'prune');
  await there.lock('shared', noSignal);
  clock.forward(31 * minuteMs, { wake: false });
  await using _ = await lock.under({ exclusive: true, use: 'gate' });
  assert.match(lock.recovered.join(), /me@there/);
});

test('an empty lock file, which a full disk may leave, locks nothing; one that is damaged might', async (t) => {
  const { repository, folder } = await newPlace(t, inEarnest);
  const path = join(folder, 'locks', '0'.repeat(64));
  await mkdir(join(folder, 'locks'));
  await writeFile(path, '');
  for (const kind of ['shared', 'exclusive'] as const) {
    await using _ = await repository.lock(kind, noSignal);
  }
  await writeFile(path, 'x');
  await assert.rejects(repository.lock('shared', noSignal), coded('REPOSITORY_CORRUPT', /^locks\/0{64} is damaged$/));
});

test('a lock is refreshed every five minutes, under a new name', async (t) => {
  const { store, clock, repository } = await withHandClock(t);
  await using lock = await repository.lock('exclusive', noSignal);
  for (let round = 0; round < 3; round++) {
    const before = await locksOf(store);
    await clock.untilSleeping(5 * minuteMs);
    clock.forward(5 * minuteMs);
    await waitFor('a new lock alone', async () => {
      const now = await locksOf(store);
      return now.length === 1 && now[0] !== before[0];
    });
  }
  assert(!lock.signal.aborted);
});

test('a lock that somebody removed is lost at the next refresh', async (t) => {
  const { clock, repository, restic } = await withHandClock(t);
  await using lock = await repository.lock('shared', noSignal);
  await restic(['unlock', '--remove-all']);
  await clock.untilSleeping(5 * minuteMs);
  clock.forward(5 * minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
  coded('REPOSITORY_LOCK_LOST', /somebody removed the lock/)(lock.signal.reason);
});

test('a lock that cannot be refreshed is lost before others may take it', async (t) => {
  const { clock, faulty, repository } = await withHandClock(t);
  await using lock = await repository.lock('shared', noSignal);
  for (let minutes = 5; minutes < 22; minutes += 5) {
    await clock.untilSleeping(5 * minuteMs);
    faulty.plan({
      method: 'get',
      match: /^locks/,
      kind: 'error',
      error: new TidemarkError('DESTINATION_UNREACHABLE', 'gone'),
    });
    clock.forward(5 * minuteMs);
    await waitFor('a try', () => faulty.assertAllHit() ?? true);
    assert(!lock.signal.aborted, `lost after ${minutes} minutes`);
  }
  await clock.untilSleeping(5 * minuteMs);
  faulty.plan({
    method: 'get',
    match: /^locks/,
    kind: 'error',
    error: new TidemarkError('DESTINATION_UNREACHABLE', 'gone'),
  });
  clock.forward(2 * minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
  coded('REPOSITORY_LOCK_LOST', /could not be refreshed/)(lock.signal.reason);
});

test('a destination that never answers does not keep a lost lock', async (t) => {
  const { clock, faulty, repository } = await withHandClock(t);
  const abort = new AbortController();
  const lock = await repository.lock('shared', abort.signal);
  await clock.untilSleeping(5 * minuteMs);
  faulty.plan({ method: 'get', match: /^locks/, kind: 'stall' });
  clock.forward(5 * minuteMs);
  await waitFor('the stall', () => faulty.assertAllHit() ?? true);
  await clock.untilSleeping(17 * minuteMs);
  clock.forward(17 * minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
  coded('REPOSITORY_LOCK_LOST', /could not be refreshed/)(lock.signal.reason);
  abort.abort();
  await within(10_000, 'release', lock[Symbol.asyncDispose]());
});

test('after a standby a lock that is still there is refreshed, and one that cannot be refreshed is lost at once', async (t) => {
  const { clock, faulty, repository, store } = await withHandClock(t);
  await using lock = await repository.lock('shared', noSignal);
  const [before] = await locksOf(store);
  clock.standby(60 * minuteMs);
  await clock.untilSleeping(5 * minuteMs);
  clock.forward(5 * minuteMs);
  await waitFor('a new lock alone', async () => {
    const now = await locksOf(store);
    return now.length === 1 && now[0] !== before;
  });
  await clock.untilSleeping(5 * minuteMs);
  assert(!lock.signal.aborted);
  clock.standby(60 * minuteMs);
  const error = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');
  faulty.plan({ method: 'get', match: /^locks/, kind: 'error', error });
  clock.forward(5 * minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
  coded('REPOSITORY_LOCK_LOST', /could not be refreshed/)(lock.signal.reason);
});

test('a lock that somebody removes while it is refreshed is lost', async (t) => {
  const { clock, store, repository } = await withHandClock(t, (faulty) => {
    let puts = 0;
    const put: Store['put'] = async (name, ...rest) => {
      if (name.startsWith('locks/') && ++puts === 2) await faulty.delete(await locksOf(faulty));
      return faulty.put(name, ...rest);
    };
    return replaced(faulty, { put });
  });
  const lock = await repository.lock('shared', noSignal);
  await clock.untilSleeping(5 * minuteMs);
  clock.forward(5 * minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
  coded('REPOSITORY_LOCK_LOST', /somebody removed the lock/)(lock.signal.reason);
  await lock[Symbol.asyncDispose]();
  assert.deepEqual(await locksOf(store), []);
});

test('the time that writing a lock takes counts: others go by what stands in it', async (t) => {
  const clock = new HandClock();
  const { faulty, repository } = await withHandClock(
    t,
    (inner) => {
      const put: Store['put'] = async (...args) => {
        await inner.put(...args);
        clock.forward(21 * minuteMs, { wake: false });
      };
      return replaced(inner, { put });
    },
    clock,
  );
  await using lock = await repository.lock('shared', noSignal);
  await clock.untilSleeping(minuteMs);
  const error = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');
  faulty.plan({ method: 'get', match: /^locks/, kind: 'error', error });
  clock.forward(minuteMs);
  await waitFor('the loss', () => lock.signal.aborted);
});

test('a backup whose lock is gone does not become visible; one whose lock is found after a standby does', async (t) => {
  const { clock, faulty, repository, restic, store } = await withHandClock(t);
  const during = (step: () => unknown) =>
    writeBackup(repository, async (sink) => {
      const content = await sink.content(Buffer.from('one'));
      await step();
      return [fileNode('one', content)];
    });
  const removed = coded('REPOSITORY_LOCK_LOST', /somebody removed the lock/);
  const standby = () => clock.standby(60 * minuteMs);
  const remove = () => restic(['unlock', '--remove-all']);
  const failing = () => {
    const error = new TidemarkError('DESTINATION_UNREACHABLE', 'gone');
    faulty.plan({ method: 'get', match: /^locks/, kind: 'error', error });
  };
  await assert.rejects(during(remove), removed);
  await assert.rejects(
    during(() => remove().then(standby)),
    removed,
  );
  const unanswered = during(() => [standby(), failing()]);
  await assert.rejects(unanswered, coded('REPOSITORY_LOCK_LOST', /could not be refreshed/));
  assert.deepEqual(await Array.fromAsync(store.list('snapshots/')), []);
  const { id } = await during(standby);
  assert.deepEqual(await Array.fromAsync(store.list('snapshots/'), ({ name }) => name), [`snapshots/${id}`]);
  assert.deepEqual(await locksOf(store), []);
});

test('a lock request that is aborted or refused leaves no lock', async (t) => {
  const { repository, store } = await newPlace(t, inEarnest);
  const abort = new AbortController();
  const request = repository.lock('shared', abort.signal);
  await waitFor('our lock', async () => (await locksOf(store)).length > 0);
  abort.abort();
  await assert.rejects(request, { name: 'AbortError' });
  assert.deepEqual(await locksOf(store), []);
  const lock = await repository.lock('shared', noSignal);
  await lock[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  assert.deepEqual(await locksOf(store), []);
});

test('work that begins early does not begin beside a lock that came while ours was written', async (t) => {
  const { store } = await newPlace(t);
  const other = await Repository.open(openOptions(store));
  let theirs: AsyncDisposable | undefined;
  const slow = replaced(store, {
    put: async (...args) => {
      theirs = await other.lock('exclusive', noSignal);
      await store.put(...args);
    },
  });
  const repository = await Repository.open(openOptions(slow, inEarnest));
  let begun = false;
  const work = repository.underLock('read', noSignal, async () => {
    begun = true;
  });
  await assert.rejects(work, coded('REPOSITORY_LOCKED'));
  assert(!begun);
  assert.equal((await locksOf(store)).length, 1);
  await theirs![Symbol.asyncDispose]();
});

async function withHandClock(
  t: TestContext,
  change: (store: Store) => Store = (store) => store,
  clock = new HandClock(),
) {
  const place = await newPlace(t, inEarnest);
  const faulty = new FaultyStore(place.store);
  const repository = await Repository.open(openOptions(change(faulty), { clock, ...inEarnest }));
  return { ...place, clock, faulty, repository };
}

function replaced(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function locksOf(store: Store): Promise<string[]> {
  return Array.fromAsync(store.list('locks/'), ({ name }) => name);
}

/** `restic backup` of a standard input that never ends: it holds a shared lock until the test is over. */
async function startEndlessBackup(t: TestContext, folder: string): Promise<void> {
  const passwordFile = join(await tempFolder(t), 'password');
  await writeFile(passwordFile, password);
  const args = ['--repo', folder, '--password-file', passwordFile, '--no-cache', 'backup', '--stdin'];
  const child = spawn('restic', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  atEnd(t, async () => {
    child.kill('SIGKILL');
    await ended;
  });
}

/** Time passes only when the test says so. */
class HandClock implements Clock {
  #atMs = Date.parse('2026-03-01T12:00:00Z');
  #standbyMs = 0;
  readonly #sleepers = new Set<{ untilMs: number; wake: () => void }>();

  now(): Date {
    return new Date(this.#atMs + this.#standbyMs);
  }

  monotonicMs(): number {
    return this.#atMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { untilMs: this.#atMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The machine sleeps: the monotonic clock stands still, and timers with it. */
  standby(ms: number): void {
    this.#standbyMs += ms;
  }

  /** Until somebody sleeps, for this long at most. */
  untilSleeping(atMostMs: number): Promise<unknown> {
    const due = () => [...this.#sleepers].some(({ untilMs }) => untilMs <= this.#atMs + atMostMs);
    return waitFor('somebody to sleep', due);
  }

  /** `wake: false`: whoever sleeps is thought of as dead or hanging. */
  forward(ms: number, { wake = true } = {}): void {
    this.#atMs += ms;
    if (!wake) return;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#atMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
