import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Store } from '../../../core/driver/index.ts';
import { asTidemarkError } from '../../../core/error.ts';
import { Repository } from '../../../core/repository/index.ts';
import { runOk } from '../../kit/process.ts';
import { smallDisk } from '../../kit/small-disk.ts';
import { fileNode, localStore, openOptions, randomBytes, writeBackup } from './repository-kit.ts';

test('a destination that is unmounted in the middle of a backup is unreachable, and nothing is made in its place', async (t) => {
  for (const at of ['^data/', '^index/', '^snapshots/']) {
    const mount = await smallDisk(t, 64 * 2 ** 20);
    const store = await localStore(join(mount, 'repository'));
    await Repository.init(openOptions(store));
    const leaving = unmountedAtPut(store, mount, new RegExp(at));
    const repository = await Repository.open(openOptions(leaving));
    const bytes = randomBytes(at, 20 * 2 ** 20);
    const failed = writeBackup(repository, async (sink) => [fileNode('file', await sink.content(bytes))]);
    const { code, hint } = asTidemarkError(await failed.catch((error) => error));
    assert.deepEqual([code, hint?.includes('requireMount')], ['DESTINATION_UNREACHABLE', true], at);
    assert.deepEqual(await readdir(mount), [], at);
  }
});

/** The store, whose file system goes away right before the first such object is put. */
function unmountedAtPut(store: Store, mount: string, match: RegExp): Store {
  let mounted = true;
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return name === 'put' ? put : value.bind(target);
      async function put(...args: Parameters<Store['put']>) {
        if (mounted && match.test(args[0])) {
          mounted = false;
          await runOk('umount', ['--lazy', mount]);
        }
        return store.put(...args);
      }
    },
  });
}
