import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../core/driver/index.ts';
import { TidemarkError } from '../../../core/error.ts';
import { waitFor } from '../../kit/process.ts';
import { HandClock, locksOf, minuteMs, replaced, withHandClock } from './lock-kit.ts';
import { coded, fileNode, noSignal, within, writeBackup } from './repository-kit.ts';

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
