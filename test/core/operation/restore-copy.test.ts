import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Drivers } from '../../../core/config/index.ts';
import { type OperationContext, planRestore, runRestore } from '../../../core/operation/index.ts';
import { Secret } from '../../../core/secret.ts';
import { inside } from '../../cmd/kit.ts';
import { type Drawer, drawerDriver } from '../../drivers/toy/drawer.ts';
import { notesDriver } from '../../drivers/toy/notes.ts';
import { tempFolder } from '../../kit/temp.ts';

const yaml = `sources:
  kitchen: { driver: notes, shelf: kitchen }
destinations:
  top: { driver: drawer, label: top, password: "\${env:KEY}" }
  low: { driver: drawer, label: low, password: "\${env:KEY}" }
plans:
  daily: { source: kitchen, destinations: [top], manual: true }
daemon: { catalog: "sqlite:catalog.db" }
`;

test('a restore reads the copy that was planned, also when another one of the same snapshot came first', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const [top, low]: [Drawer, Drawer] = [new Map(), new Map()];
  const notes = new Map([['soup', 'salt\n']]);
  const drivers: Drivers = {
    sources: [notesDriver(new Map([['kitchen', notes]]))],
    destinations: [drawerDriver(new Map(Object.entries({ top, low })))],
  };
  const changes = { cwd: folder, env: { KEY: 'secret' }, drivers: async () => drivers };
  for (const args of [
    ['apply', '--auto-approve'],
    ['backup', 'daily'],
  ])
    assert.equal((await inside(args, changes)).code, 0);
  await using catalog = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  const context: OperationContext = {
    ...{ catalog, drivers, clock: systemClock, version: '0', secret: async () => new Secret('secret') },
    fate: () => 'unknown',
    process: { host: 'h', user: 'u', pid: 1, alive: () => false, threads: 1 },
  };
  const [{ id } = { id: '' }] = await catalog.backups.list();
  const wish = {
    backup: id,
    target: { source: 'kitchen' },
    only: [],
    overwrite: true,
    verify: false,
    keepDamaged: false,
  };
  const plan = await planRestore(context, wish, new Date());
  assert.equal(plan.backup.destination, 'top');
  const made = await catalog.backups.get(id);
  await catalog.backups.record({ ...made, destination: 'low', endedAt: new Date(0) }); // an empty repository
  notes.clear();
  const run = { signal: new AbortController().signal, progress: { add() {}, expect() {}, step() {} } };
  await runRestore(context, plan, run);
  assert.equal(notes.get('soup'), 'salt\n');
});
