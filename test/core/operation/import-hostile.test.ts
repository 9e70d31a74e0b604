import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Repository } from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { password } from '../../cmd/kit.ts';
import { pruneHome } from '../../cmd/prune-kit.ts';
import { fileNode, folderNode, localStore, openOptions, writeBackup } from '../repository/repository-kit.ts';
import { partsOf } from '../repository/walk/parts-of.ts';

test('a snapshot whose manifest is not its own, or is none that the catalog could hold, costs itself and is named', async (t) => {
  const at = await pruneHome(t);
  const [first, second] = await at.backUp(2);
  const store = await localStore(at.repository);
  const repository = await Repository.open({ ...openOptions(store), password: new Secret(password) });
  const { manifest } = await at.catalog.backups.copy('disk', (await at.catalog.backups.get(second!)).snapshot);
  const { objects } = await partsOf(store, password);
  const forge = async (changes: object | undefined, tag: string | undefined) => {
    const { id } = await writeBackup(repository, async (sink) => {
      const file = await sink.content(Buffer.from(JSON.stringify({ ...manifest, ...changes })));
      return changes === undefined ? [] : [folderNode('.tidemark', await sink.tree([fileNode('manifest.json', file)]))];
    });
    const document = (await objects.get('snapshots', id)) as object;
    if (tag === undefined) return id;
    await objects.delete('snapshots', [id]);
    return objects.put('snapshots', { ...document, tags: ['tidemark', `id:${tag}`, 'plan:docs-daily'] });
  };
  const before = await at.catalog.backups.list();
  const forged = new Map<string, RegExp>();
  forged.set(await forge({}, first!), /its manifest is that of backup/);
  forged.set(await forge(undefined, first!), /it has no manifest/);
  forged.set(await forge({}, second!), /its manifest is that of another snapshot/);
  const path = '../../etc/passwd';
  forged.set(await forge({ id: path }, path), /the id in its tags is none of a backup of tidemark/);
  const odd = [{ warnings: [5] }, { selection: { include: [{}] } }, { identity: {} }, { partial: 'no' }];
  const names = [{ plan: '' }, { source: 'a\u001b[2J' }, { contents: [null] }, { id: 7 }];
  for (const changes of [...odd, ...names])
    forged.set(await forge(changes, undefined), /lacks what every manifest has/);

  const imported = await at.inside('catalog', 'import', 'disk', '--json');
  const { damaged, found, added } = JSON.parse(imported.stdout);
  assert.deepEqual([imported.code, found, added, damaged?.length], [4, 2, 0, forged.size], imported.stdout);
  for (const [id, text] of forged) {
    const error = damaged.find(({ message }: { message: string }) => message.startsWith(`snapshot ${id.slice(0, 8)} `));
    assert.match(error.message, text);
  }
  assert.deepEqual(await at.catalog.backups.list(), before);
  const report = JSON.parse((await at.inside('repository', 'check', 'disk', '--json')).stdout);
  assert.equal(report.counts.damage, forged.size - (odd.length + names.length), 'untagged ones are nobody’s');
});

test('a restore that brings back less than the manifest says is partial, and says so', async (t) => {
  const at = await pruneHome(t);
  await at.backUp(1);
  const [real] = JSON.parse((await at.judge(['snapshots', '--json'])).stdout);
  const restored = join(at.folder, 'restored');
  await at.judge(['restore', real.id, '--target', restored]);
  await rm(join(restored, at.data, 'own.bin'));
  await at.judge(['backup', '.', ...real.tags.flatMap((tag: string) => ['--tag', tag])], { cwd: restored });
  await at.judge(['forget', real.id]);
  const { objects } = await partsOf(await localStore(at.repository), password);
  const [forged] = await at.snapshots();
  await objects.put('snapshots', { ...((await objects.get('snapshots', forged!)) as object), time: real.time });
  await objects.delete('snapshots', [forged!]);
  await at.inside('catalog', 'import', 'disk');

  const back = await at.inside('restore', 'docs', '--into', './back', '--auto-approve');
  assert.equal(back.code, 4, back.stderr);
  assert.match(
    back.stderr,
    /the backup holds less than its manifest says: \d+ items with .* came back, not \d+ items with/,
  );
  const some = await at.inside('restore', 'docs', '--into', './some', '--only', at.data, '--auto-approve');
  assert.equal(some.code, 0, some.stderr);
});
