import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Sealer } from '../../core/repository/format/sealer.ts';
import { openKey } from '../../core/repository/keys.ts';
import { SealedObjects } from '../../core/repository/objects.ts';
import { Secret } from '../../core/secret.ts';
import { localStore } from '../core/repository/repository-kit.ts';
import { restic } from '../kit/restic.ts';
import { type Home, home, password, type Told, yamlFor } from './kit.ts';

const nowhere = /nothing to apply|Run `tidemark apply` to create/;

test('a repository that is gone is said to be, with what the catalog knows of it, and no new one takes its place', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  const copy = join(at.folder, 'copy');
  await rename(at.repository, copy);
  await at.write(yamlFor(at.folder).replace('driver: local,', 'driver: local, requireMount: false,'));
  const verbs = [
    ['apply', '--auto-approve'],
    ['backup', 'docs-daily'],
    ['restore', 'docs', '--into', './back'],
    ['catalog', 'import', 'disk'],
    ['key', 'list', 'disk'],
  ];
  for (const emptied of [false, true]) {
    if (emptied) await mkdir(at.repository);
    for (const verb of verbs) {
      const told = await at.inside(...verb);
      says(told, 5, /REPOSITORY_MISSING: .*the catalog knows 1 backup in it/, /bring the repository back from a copy/);
    }
    assert.equal(existsSync(join(at.repository, 'config')), false);
  }
  const another = yamlFor(at.folder).replace('/repository,', '/elsewhere,');
  await at.write(another);
  says(await at.inside('apply', '--auto-approve'), 5, /the catalog knows 1 backup in it/, /another name/);
  assert.equal(existsSync(join(at.folder, 'elsewhere')), false);
  await cp(copy, join(at.folder, 'elsewhere'), { recursive: true });
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.equal((await at.inside('restore', 'docs', '--into', './back')).code, 0);
});

test('another repository with the same password in its place is used for nothing, and nothing is forgotten for it', async (t) => {
  const at = await home(t);
  const copy = join(at.folder, 'copy');
  const yaml = (name: string) => yamlFor(at.folder).replace('  disk:', `  ${name}:`).replace('[disk]', `[${name}]`);
  await at.write(yaml('twin').replace('catalog.db', 'other.db'));
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await rename(at.repository, copy);
  await at.write(yaml('disk'));
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await rename(at.repository, join(at.folder, 'right'));
  await rename(copy, at.repository);
  for (const verb of [
    ['apply'],
    ['backup', 'docs-daily'],
    ['restore', 'docs', '--into', './back'],
    ['catalog', 'import', 'disk'],
    ['key', 'list', 'disk'],
  ]) {
    says(await at.inside(...verb), 6, /REPOSITORY_OTHER: this is another repository/, /right disk.*of its own name/);
  }
  assert.equal((await readdir(join(at.repository, 'snapshots'))).length, 1);
  await at.write(
    yaml('disk').replace('plans:', `${/ {2}disk:.*/.exec(yaml('disk'))![0].replace('disk', 'twin')}\nplans:`),
  );
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const imported = JSON.parse((await at.inside('catalog', 'import', 'twin', '--json')).stdout);
  assert.deepEqual([imported.found, imported.added, imported.removed], [1, 1, 0]);
  await rename(at.repository, copy);
  await rename(join(at.folder, 'right'), at.repository);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
});

test('a repository without its config or its keys says what is missing and where it comes from', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  for (const [part, says10] of [
    ['config', /REPOSITORY_CORRUPT: .*no file `config`/],
    ['keys', /REPOSITORY_CORRUPT: .*has no key/],
  ] as const) {
    await rename(join(at.repository, part), join(at.folder, part));
    for (const verb of [
      ['apply'],
      ['backup', 'docs-daily'],
      ['restore', 'docs', '--into', './no'],
      ['key', 'list', 'disk'],
    ]) {
      says(await at.inside(...verb), 10, says10, /back from a copy of the repository/);
    }
    await at.write(yamlFor(at.folder).replace('driver: local,', 'driver: local, requireMount: false,'));
    says(await at.inside('apply', '--auto-approve'), 10, says10, /back from a copy of the repository/);
    assert.equal(existsSync(join(at.repository, part)), false);
    await rename(join(at.folder, part), join(at.repository, part));
    await at.write(yamlFor(at.folder));
  }
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  await rm(join(at.repository, 'config'));
});

test('a damaged index keeps nobody from knowing and bringing back what there is', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  for (const name of await readdir(join(at.repository, 'index')))
    await truncate(join(at.repository, 'index', name), 50);
  const imported = await at.inside('catalog', 'import', 'disk', '--json');
  const { found, warnings } = JSON.parse(imported.stdout);
  assert.deepEqual([imported.code, found, warnings.length], [0, 1, 2], imported.stderr);
  assert.match(warnings.join(), /index\/[0-9a-f]{64} is damaged.*by the list that ends each pack/);
  const restored = await at.inside('restore', 'docs', '--into', './back');
  assert.deepEqual([restored.code, /index\/[0-9a-f]{64} is damaged/.test(restored.stderr)], [0, true], restored.stderr);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 10, 'a backup does not build on a damaged index');
});

test('an import of a repository that lost its snapshots forgets nothing; of one that was emptied, everything', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await at.inside('backup', 'docs-daily');
  const [snapshots, aside] = [join(at.repository, 'snapshots'), join(at.folder, 'aside')];
  const importIt = () => at.inside('catalog', 'import', 'disk');
  await rename(snapshots, aside);
  says(
    await importIt(),
    10,
    /REPOSITORY_CORRUPT: .*no snapshot, and the catalog knows 2 backups in it/,
    /Nothing was forg/,
  );
  await rename(aside, snapshots);
  assert.match((await importIt()).stdout, /2 backups found: 0 added to the catalog, 0 removed/);

  const [lost] = await readdir(snapshots);
  await rename(join(snapshots, lost!), aside);
  const removed = await importIt();
  assert.match(removed.stdout, /1 backup found: 0 added to the catalog, 1 removed/);
  const what = `1 backup is not in the repository any more .*of docs-daily \\(snapshot ${lost!.slice(0, 8)}\\).* from a copy`;
  assert.match(removed.stderr, new RegExp(what));

  const stock = await restic(t, at.repository, password);
  const { stdout } = await stock(['snapshots', '--json']);
  const ids: string[] = JSON.parse(stdout).map(({ id }: { id: string }) => id);
  await stock(['forget', ...ids]);
  assert.equal((await importIt()).code, 10, 'not yet pruned');
  await stock(['prune']);
  const emptied = await importIt();
  assert.deepEqual([emptied.code, /0 backups found: .*1 removed/.test(emptied.stdout)], [0, true], emptied.stderr);
});

function says({ code, stderr }: Told, expected: number, message: RegExp, hint: RegExp): void {
  assert.equal(code, expected, stderr);
  assert.match(stderr, message);
  assert.match(stderr, hint);
  assert.doesNotMatch(stderr, nowhere);
}

for (const [damage, spoil, repair] of [
  ['gone', (pack: string) => rm(pack)],
  ['cut short', (pack: string) => truncate(pack, 1000)],
  ['cut short and named by two index files', (pack: string) => truncate(pack, 1000), indexTwice],
] as const) {
  test(`a backup relies on no pack that is ${damage}: it stores again what it needs and says so`, async (t) => {
    const at = await home(t);
    await at.inside('apply', '--auto-approve');
    await at.inside('backup', 'docs-daily');
    await repair?.(at.repository);
    for (const pack of await readdir(join(at.repository, 'data'), { recursive: true, withFileTypes: true })) {
      if (pack.isFile()) await spoil(join(pack.parentPath, pack.name));
    }
    const again = await at.inside('backup', 'docs-daily');
    says(again, 0, /gone from the repository or cut short/, /rely on none of that/);
    assert.match(await problems(at), /^the repository of disk is damaged: .* older ones may lack files/);
    assert.match((await at.inside('events')).stdout, /repository\.damaged/);
    const back = await at.inside('restore', 'docs', '--into', './back', '--verify');
    assert.equal(back.code, 0, back.stderr);
    await (await restic(t, at.repository, password))(['rebuild-index']);
    assert.notEqual(await problems(at), '', 'until a backup finds it mended');
    assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
    assert.equal(await problems(at), '');
    assert.match((await at.inside('events')).stdout, /repository\.mended/);
  });
}

async function problems(at: Home): Promise<string> {
  return JSON.parse((await at.inside('status', '--json')).stdout).problems.join('\n');
}

/** What `restic repair index` leaves when it is interrupted: every pack is named by two index files. */
async function indexTwice(repository: string): Promise<void> {
  const store = await localStore(repository);
  const { master } = await openKey(store, new Secret(password));
  const objects = new SealedObjects(store, new Sealer(master));
  for (const id of await readdir(join(repository, 'index'))) await objects.put('index', await objects.get('index', id));
}

test('an import that finds data and no snapshot into a new catalog says so and is partial, until the data is gone', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await rm(join(at.repository, 'snapshots'), { recursive: true });
  for (const end of ['', '-wal', '-shm']) await rm(join(at.folder, `catalog.db${end}`), { force: true });
  const importIt = async () => {
    const told = await at.inside('catalog', 'import', 'disk', '--json');
    const { found, snapshotsLost, warnings } = JSON.parse(told.stdout);
    return [told.code, found, snapshotsLost, warnings.length, /no snapshot: .* from a copy/.test(warnings.join())];
  };
  assert.deepEqual(await importIt(), [4, 0, true, 1, true]);
  assert.deepEqual(await importIt(), [4, 0, true, 1, true], 'and again');
  const text = await at.inside('catalog', 'import', 'disk');
  assert.match(text.stderr, /holds data and no snapshot/);
  await (await restic(t, at.repository, password))(['prune']);
  assert.deepEqual(await importIt(), [0, 0, false, 0, false]);
});
