import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Repository, type RepositoryOptions } from '../../../core/repository/index.ts';
import { HandClock, inEarnest, locksOf, minuteMs } from './lock-kit.ts';
import { coded, newPlace, noSignal, openOptions } from './repository-kit.ts';

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
