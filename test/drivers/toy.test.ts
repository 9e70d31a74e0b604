import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Drivers } from '../../core/config/index.ts';
import { drivers as shipped } from '../../drivers/index.ts';
import { inside } from '../cmd/kit.ts';
import { storeContract } from '../contracts/store.ts';
import { tempFolder } from '../kit/temp.ts';
import { type Drawer, drawerDriver, drawerStore } from './toy/drawer.ts';
import { type Notes, notesDriver } from './toy/notes.ts';

storeContract('a toy in memory', async () => drawerStore(new Map()));

const yaml = `sources:
  kitchen: { driver: notes, shelf: kitchen }
  attic: { driver: notes, shelf: attic }
destinations:
  top: { driver: drawer, label: top, password: "\${env:TOP}" }
plans:
  kitchen-daily: { source: kitchen, destinations: [top], manual: true }
daemon: { catalog: "sqlite:catalog.db" }
`;

test('drivers that tidemark has never heard of do everything that others do', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'tidemark.yaml'), yaml);
  const kitchen: Notes = new Map([
    ['soup', 'salt\n'],
    ['empty', ''],
    ['cake', 'sugar '.repeat(50_000)],
  ]);
  const attic: Notes = new Map();
  const top: Drawer = new Map();
  const toys: Drivers = {
    sources: [
      notesDriver(
        new Map([
          ['kitchen', kitchen],
          ['attic', attic],
        ]),
      ),
      ...shipped.sources,
    ],
    destinations: [drawerDriver(new Map([['top', top]]))],
  };
  const ok = async (...args: string[]) => {
    const told = await inside(args, { cwd: folder, env: { TOP: 'secret' }, drivers: async () => toys });
    assert.equal(told.code, 0, `${args.join(' ')}\n${told.stdout}${told.stderr}`);
    return told.stdout;
  };

  assert.match(await ok('plan'), /\+ add destinations\.top/);
  await ok('apply', '--auto-approve');
  assert.match(await ok('plan'), /^no changes/);
  const { backup } = JSON.parse(await ok('backup', 'kitchen-daily', '--json'));
  const [listed] = JSON.parse(await ok('backups', 'kitchen', '--json')).backups;
  assert.deepEqual([listed.id, listed.driver, listed.type, listed.items], [backup, 'notes', 'logical', 3]);
  assert.ok([...top.keys()].some((name) => name.startsWith('snapshots/')));

  await ok('restore', 'kitchen', '--into', 'attic');
  assert.deepEqual(new Map([...attic].sort()), new Map([...kitchen].sort()));
  kitchen.set('soup', 'spoilt');
  await ok('restore', 'kitchen', '--into', 'kitchen', '--overwrite', '--auto-approve');
  assert.equal(kitchen.get('soup'), 'salt\n');
  await ok('download', backup, '-o', 'files');
  assert.equal(await readFile(join(folder, 'files/soup'), 'utf8'), 'salt\n');
  assert.match(await ok('schema'), /Name of the shelf/);
});
