import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertSameTrees } from '../kit/compare-trees.ts';
import { restic } from '../kit/restic.ts';
import { home, password, yamlFor } from './kit.ts';

/** The steps of docs/keys.md, "When a master key leaked". */
test('all backups come into a new repository by copy, and what leaked does not open it', async (t) => {
  const at = await home(t);
  const verb = async (...args: string[]) => {
    const { code, stdout, stderr } = await at.inside(...args, '--json');
    assert.equal(code, 0, `${args.join(' ')}\n${stdout}${stderr}`);
    return JSON.parse(stdout);
  };
  await verb('apply', '--auto-approve');
  await verb('backup', 'docs-daily');
  await writeFile(join(at.data, 'large'), Buffer.alloc(3_000_000, 'large'));
  await verb('backup', 'docs-daily');
  const old = await restic(t, at.repository, password);
  await old(['backup', at.data, '--tag', 'by-hand']);
  await verb('catalog', 'import', 'disk');
  await verb('key', 'export', 'disk', '--out', 'kit');
  const [newest] = (await verb('backups')).backups.filter(({ plan }: { plan: string }) => plan !== '');
  await verb('pin', newest.id, '--reason', 'law');
  await mkdir(join(at.repository, 'marks'), { recursive: true });
  await writeFile(join(at.repository, 'marks', 'a'.repeat(64)), '');
  const before = await verb('backups');

  const path = join(at.folder, 'new-repository');
  await writeFile(join(at.folder, 'new'), 'battery staple');
  const both = (plan: string, more = '') =>
    yamlFor(at.folder)
      .replace('plans:', `  safe: { driver: local, path: ${path}, password: "\${file:${at.folder}/new}" }\nplans:`)
      .replace('[disk]', `[${plan}]`)
      .replace('driver: local, path', `driver: local,${more} path`);
  await at.write(both('disk'));
  await verb('apply', '--auto-approve');
  const stock = await restic(t, path, 'battery staple');
  const copy = ['copy', '--from-repo', at.repository, '--from-password-file', join(at.folder, 'password')];
  await stock(copy);
  assert.doesNotMatch((await stock(copy)).stdout, /^snapshot .* saved/m);
  const imported = await verb('catalog', 'import', 'safe');
  assert.equal(imported.found, 3);
  assert.match(imported.warnings.join(), new RegExp(`1 backup is pinned in another destination.*${newest.id}`));
  await stock(['check', '--read-data']);
  const folders = (await readdir(path)).sort();
  assert.deepEqual(folders, ['config', 'data', 'index', 'keys', 'locks', 'snapshots'], 'neither pins nor marks');

  const copies = (await verb('backups')).backups.filter(({ destination }: Backup) => destination === 'safe');
  assert.deepEqual(copies.map(whatStays), before.backups.map(whatStays));
  const shown = async (id: string, at: string) => {
    const { stdout } = await (at === path ? stock : old)([
      'dump',
      `--tag=id:${id}`,
      'latest',
      '/.tidemark/manifest.json',
    ]);
    return JSON.parse(stdout);
  };
  assert.deepEqual(await shown(newest.id, path), await shown(newest.id, at.repository), 'the manifest is the same');
  const pinned = (backups: readonly (Backup & { pin?: object })[]) =>
    backups.filter(({ pin }) => pin !== undefined).map(({ destination, id }) => `${destination} ${id}`);
  assert.deepEqual(pinned((await verb('backups')).backups), [`disk ${newest.id}`], 'the copy is not pinned');
  await verb('pin', newest.id, '--reason', 'law');
  assert.deepEqual(pinned((await verb('backups')).backups).sort(), [`disk ${newest.id}`, `safe ${newest.id}`]);
  assert.deepEqual((await verb('catalog', 'import', 'safe')).warnings, []);
  const tags = (json: string) => JSON.parse(json).map((one: { tags: string[] }) => one.tags);
  assert.deepEqual(
    tags((await stock(['snapshots', '--json'])).stdout),
    tags((await old(['snapshots', '--json'])).stdout),
  );

  await at.write(both('safe'));
  await verb('apply', '--auto-approve');
  const { job } = await verb('backup', 'docs-daily');
  assert(job.result.addedBytes < 100_000, `what is unchanged was stored again: ${JSON.stringify(job.result)}`);
  await at.write(both('safe', ' onRemove: orphan,'));
  await verb('apply', '--auto-approve');
  const only = both('safe').replace(/^ {2}disk: .*\n/m, '');
  await at.write(only);
  await verb('apply', '--auto-approve');
  await rm(at.repository, { recursive: true });
  for (const { id } of copies) {
    const out = join(at.folder, `out-${id}`);
    assert.equal((await at.inside('download', id, '-o', out)).code, 0);
    await rm(out, { recursive: true });
  }
  await verb('restore', 'docs', '--into', './back');
  assertSameTrees(join(at.folder, 'back', at.data), at.data);

  assert.match((await at.inside('key', 'import', 'safe', '--kit', 'kit')).stderr, /KIT_UNUSABLE: .*another repository/);
  await assert.rejects((await restic(t, path, password))(['snapshots']), /wrong password/);
});

interface Backup {
  readonly id: string;
  readonly destination: string;
  readonly snapshot: string;
}

/** Of a copy. */
interface Own {
  readonly addedBytes?: number;
  readonly pin?: object;
}

/** Of a backup, in whichever repository. */
function whatStays({ destination: _d, snapshot: _s, addedBytes: _a, pin: _p, id, ...rest }: Backup & Own) {
  return 'plan' in rest && rest.plan === '' ? rest : { id, ...rest };
}
