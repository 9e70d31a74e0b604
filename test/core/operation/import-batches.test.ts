import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../../core/catalog/index.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Drivers } from '../../../core/config/index.ts';
import { importBackups, type OperationContext } from '../../../core/operation/index.ts';
import { Secret } from '../../../core/secret.ts';
import { inside } from '../../cmd/kit.ts';
import { drawerDriver } from '../../drivers/toy/drawer.ts';
import { notesDriver } from '../../drivers/toy/notes.ts';
import { tempFolder } from '../../kit/temp.ts';

const yaml = `sources:
  kitchen: { driver: notes, shelf: kitchen }
destinations:
  top: { driver: drawer, label: top, password: "\${env:KEY}" }
plans:
  daily: { source: kitchen, destinations: [top], manual: true }
daemon: { catalog: "sqlite:catalog.db" }
`;

test('an import that is cut off keeps what it has read and forgets nothing, and the next one brings the rest', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const drivers: Drivers = {
    sources: [notesDriver(new Map([['kitchen', new Map([['soup', 'salt\n']])]]))],
    destinations: [drawerDriver(new Map([['top', new Map()]]))],
  };
  const changes = { cwd: folder, env: { KEY: 'secret' }, drivers: async () => drivers };
  assert.equal((await inside(['apply', '--auto-approve'], changes)).code, 0);
  for (let made = 0; made < 23; made++) assert.equal((await inside(['backup', 'daily'], changes)).code, 0);
  await using before = await openSqliteCatalog(join(folder, 'catalog.db'), systemClock);
  const top = (await before.state.read()).resources.get('destinations.top')!;
  await using catalog = await openSqliteCatalog(join(folder, 'new.db'), systemClock);
  const context: OperationContext = {
    ...{ catalog, drivers, clock: systemClock, version: '0', secret: async () => new Secret('secret') },
    fate: () => 'unknown',
    process: { host: 'h', user: 'u', pid: 1, alive: () => false, threads: 1 },
  };
  const cutOff = new AbortController();
  let read = 0;
  const add = () => {
    if (++read === 22) cutOff.abort(new Error('enough'));
  };
  const progress = { add, expect() {}, step() {} };
  await assert.rejects(importBackups(context, top, { signal: cutOff.signal, progress }));
  assert.equal((await catalog.backups.list()).length, 20);
  const { found, added, removed } = await importBackups(context, top, {
    signal: new AbortController().signal,
    progress,
  });
  assert.deepEqual([found, added, removed, (await catalog.backups.list()).length], [23, 3, 0, 23]);
});
