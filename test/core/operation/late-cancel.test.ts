import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { unlessAborted } from '../../../core/abort.ts';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Drivers } from '../../../core/config/index.ts';
import type { Store } from '../../../core/driver/index.ts';
import { inside } from '../../cmd/kit.ts';
import { type Drawer, drawerDriver } from '../../drivers/toy/drawer.ts';
import { notesDriver } from '../../drivers/toy/notes.ts';
import { tempFolder } from '../../kit/temp.ts';

const yaml = `sources:
  kitchen: { driver: notes, shelf: kitchen }
destinations:
  top: { driver: drawer, label: top, password: "\${env:TOP}" }
plans:
  daily: { source: kitchen, destinations: [top], manual: true }
daemon: { catalog: "sqlite:catalog.db" }
`;

/** Calls `at` while a call of a store is under way. One that is given up by its signal goes on, as a real write does. */
function watched(store: Store, at: () => void): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function' || typeof name === 'symbol') return value;
      return (...args: unknown[]) => {
        const result = value.apply(target, args);
        at();
        const signal = args.map((arg) => (arg as { signal?: unknown } | undefined)?.signal ?? arg).find(isSignal);
        return signal !== undefined && result instanceof Promise ? unlessAborted(result, signal) : result;
      };
    },
  });
}

function isSignal(value: unknown): value is AbortSignal {
  return value instanceof AbortSignal;
}

/** What a backup comes to that is cancelled during call `cancelAt` of its store, on a repository of its own. */
async function cancelled(t: TestContext, cancelAt: number) {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const [top, cancel]: [Drawer, AbortController] = [new Map(), new AbortController()];
  const drawers = drawerDriver(new Map([['top', top]]));
  let calls = Number.NaN;
  const onCall = () => {
    if (calls++ === cancelAt) cancel.abort();
  };
  const open: typeof drawers.open = async (...args) => watched(await drawers.open(...args), onCall);
  const sources = [notesDriver(new Map([['kitchen', new Map([['soup', 'salt\n']])]]))];
  const drivers: Drivers = { sources, destinations: [{ ...drawers, open }] };
  const changes = { cwd: folder, env: { TOP: 'secret' }, drivers: async () => drivers };
  assert.equal((await inside(['apply', '--auto-approve'], changes)).code, 0);
  calls = 0;
  const { code, stderr } = await inside(['backup', 'daily'], { ...changes, ending: cancel.signal });
  assert.ok(code === 0 || code === 130, stderr);
  await using catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  return {
    code,
    wasCancelled: cancel.signal.aborted,
    snapshots: [...top.keys()].filter((name) => name.startsWith('snapshots/')).length,
    known: (await catalog.backups.list()).length,
    state: (await catalog.jobs.list())[0]?.state,
  };
}

test('a cancel at any call of the store: the backup is stored, known and good, or it is not there', async (t) => {
  let [early, late] = [0, 0];
  for (let cancelAt = 0, reached = true; reached; cancelAt++) {
    const { code, wasCancelled, snapshots, known, state } = await cancelled(t, cancelAt);
    const isGood = code === 0;
    assert.deepEqual([snapshots, known, state], isGood ? [1, 1, 'succeeded'] : [0, 0, 'cancelled'], `call ${cancelAt}`);
    if (wasCancelled) isGood ? late++ : early++;
    reached = wasCancelled;
  }
  assert.ok(early > 0 && late > 0, `${early} were in time, ${late} too late`);
});

test('a cancel while the stored backup is read back from a destination that hangs: it is known, with a warning', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const cancel = new AbortController();
  const drawers = drawerDriver(new Map([['top', new Map()]]));
  let stored = false;
  const open: typeof drawers.open = async (...args) => {
    const store = await drawers.open(...args);
    return new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function' || typeof name === 'symbol') return value;
        return (...args: unknown[]) => {
          const isSnapshot = String(args[0]).startsWith('snapshots/');
          if (isSnapshot && stored) cancel.abort();
          if (isSnapshot && name === 'put') stored = true;
          return cancel.signal.aborted && isSnapshot ? new Promise(() => {}) : value.apply(target, args);
        };
      },
    });
  };
  const sources = [notesDriver(new Map([['kitchen', new Map([['soup', 'salt\n']])]]))];
  const changes = {
    ...{ cwd: folder, env: { TOP: 'secret' } },
    drivers: async (): Promise<Drivers> => ({ sources, destinations: [{ ...drawers, open }] }),
  };
  assert.equal((await inside(['apply', '--auto-approve'], changes)).code, 0);
  const { code, stderr } = await inside(['backup', 'daily'], { ...changes, ending: cancel.signal });
  assert.deepEqual([code, cancel.signal.aborted], [0, true], stderr);
  await using catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  const [known] = await catalog.backups.list();
  assert.match(String(known?.warnings), /stored but not read back/);
});
