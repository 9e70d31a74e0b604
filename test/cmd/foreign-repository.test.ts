import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { idOf, toHex } from '../../core/repository/format/blob-id.ts';
import { PackBuilder } from '../../core/repository/format/pack.ts';
import { Sealer } from '../../core/repository/format/sealer.ts';
import { writeIndex } from '../../core/repository/index-files.ts';
import { openKey } from '../../core/repository/keys.ts';
import { SealedObjects } from '../../core/repository/objects.ts';
import { Secret } from '../../core/secret.ts';
import { cheapenKey } from '../core/repository/cheapen-key.ts';
import { fileNode, localStore, noSignal, randomBytes, reopen, writeBackup } from '../core/repository/repository-kit.ts';
import { assertSameTrees } from '../kit/compare-trees.ts';
import { restic } from '../kit/restic.ts';
import { home, password } from './kit.ts';
import { pruneHome } from './prune-kit.ts';

test('large packs, packs without compression, index files that take the place of others and fields of later versions are read, and written beside', async (t) => {
  const at = await home(t);
  await mkdir(at.repository);
  const stock = await restic(t, at.repository, password);
  await stock(['init']);
  const store = await localStore(at.repository);
  await cheapenKey(store);
  await writeFile(join(at.data, 'random'), randomBytes('large packs', 24_000_000));
  await writeFile(join(at.data, 'text'), 'all work and no play '.repeat(100_000));
  await stock(['backup', at.data, '--pack-size', '128', '--compression', 'off']);
  await writeFile(join(at.data, 'more text'), 'and no play makes '.repeat(100_000));
  await stock(['backup', at.data, '--compression', 'max']);
  assert((await packSizes(at.repository)).some((size) => size > 20_000_000));

  const { master } = await openKey(store, new Secret(password));
  const objects = new SealedObjects(store, new Sealer(master));
  const files = await Array.fromAsync(objects.list('index'));
  const packs = (await Promise.all(files.map((id) => objects.get('index', id)))).flatMap(
    (document) => (document as { packs: unknown[] }).packs,
  );
  await objects.put('index', { supersedes: files, packs, later: { field: 1 } });
  await objects.delete('index', files);
  const [oldest] = await Array.fromAsync(objects.list('snapshots'));
  const document = (await objects.get('snapshots', oldest!)) as object;
  const later = { excludes: ['*.tmp'], uid: 1, program_version: 'restic 9', summary: { files_new: 3 }, later: [{}] };
  await objects.put('snapshots', { ...document, original: oldest, tags: null, ...later });
  await objects.delete('snapshots', [oldest!]);

  await at.inside('apply', '--auto-approve');
  const made = await at.inside('backup', 'docs-daily');
  assert.equal(made.code, 0, made.stderr);
  await stock(['check', '--read-data']);
  const imported = JSON.parse((await at.inside('catalog', 'import', 'disk', '--json')).stdout);
  assert.deepEqual([imported.found, imported.damaged, imported.warnings], [3, [], []]);
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  for (const { id, consistentAt } of backups) {
    const out = join(at.folder, 'out');
    assert.equal((await at.inside('download', id, '-o', out)).code, 0);
    const isFirst = consistentAt === backups.at(-1).consistentAt;
    if (!isFirst) assertSameTrees(join(out, at.data), at.data);
    else assert(await same(join(out, at.data, 'random'), join(at.data, 'random')));
    await rm(out, { recursive: true });
  }
});

test('what restic backs up of a folder that was restored is a backup of its own, not the one that was restored', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  await cheapenKey(await localStore(at.repository));
  const stock = await restic(t, at.repository, password);
  const restored = join(at.folder, 'restored');
  await stock(['restore', 'latest', '--target', restored]);
  await rm(join(restored, at.data), { recursive: true });
  await stock(['backup', '.'], { cwd: restored });
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  assert.deepEqual(backups.map(({ plan }: { plan: string }) => plan).sort(), ['', 'docs-daily']);
});

test('what restic backs up of a restored folder with our tags is not the backup that was restored', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 2 }' });
  const [, second, third] = await at.backUp(3);
  const [newest] = JSON.parse((await at.judge(['snapshots', '--json', 'latest'])).stdout);
  const restored = join(at.folder, 'restored');
  await at.judge(['restore', newest.id, '--target', restored]);
  await rm(join(restored, at.data, 'own.bin'));
  await at.judge(['backup', '.', ...newest.tags.flatMap((tag: string) => ['--tag', tag])], { cwd: restored });

  const imported = await at.inside('catalog', 'import', 'disk');
  assert.equal(imported.code, 4);
  assert.match(imported.stderr, /of plan docs-daily: its manifest is that of another snapshot, of 20/);
  const report = await at.inside('repository', 'check', 'disk');
  assert.match(report.stderr + report.stdout, /its manifest is that of another snapshot, of 20/);
  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 0, pruned.stderr);
  assert.deepEqual(await at.ids(), [third, second], 'the copy takes no count of the retention');
});

test('a blob that is larger than any chunker of restic’s makes them is read, whole and as a part of a file', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const store = await localStore(at.repository);
  const { master } = await openKey(store, new Secret(password));
  const blobs = [randomBytes('large', 20_000_000), Buffer.alloc(30_000_000, 'compressible ')];
  const ids = blobs.map((blob) => idOf(blob));
  const builder = new PackBuilder('data', new Sealer(master));
  const packs = blobs.map((blob, at) => builder.add(ids[at]!, blob) ?? builder.finish()!);
  for (const { id, buffer, sizeBytes } of packs) {
    await store.put(`data/${toHex(id).slice(0, 2)}/${toHex(id)}`, new Uint8Array(buffer, 0, sizeBytes));
  }
  await writeIndex(new SealedObjects(store, new Sealer(master)), packs, noSignal);
  const content = { blobs: new Uint8Array(Buffer.concat(ids)), sizeBytes: 50_000_000 };
  const { id } = await writeBackup(await reopen(store), async () => [fileNode('large', content)]);
  await at.inside('catalog', 'import', 'disk');
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  assert.deepEqual(
    backups.map(({ snapshot }: { snapshot: string }) => snapshot),
    [id],
  );
  const out = await at.inside('download', backups[0].id, '-o', join(at.folder, 'out'));
  assert.equal(out.code, 0, out.stderr);
  assert(Buffer.concat(blobs).equals(await readFile(join(at.folder, 'out', 'large'))));
  const stock = await restic(t, at.repository, password);
  await stock(['check', '--read-data']);
  assert(Buffer.concat(blobs).equals((await stock(['dump', id, '/large'])).stdoutBytes));
});

async function packSizes(repository: string): Promise<number[]> {
  const names = await readdir(join(repository, 'data'), { recursive: true });
  const packs = names.filter((name) => name.length > 60);
  return Promise.all(packs.map(async (name) => (await stat(join(repository, 'data', name))).size));
}

async function same(one: string, other: string): Promise<boolean> {
  return (await readFile(one)).equals(await readFile(other));
}
