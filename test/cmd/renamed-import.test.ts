import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Home, home, yamlFor } from './kit.ts';

async function loseCatalog({ folder }: Home): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith('catalog.db')) await rm(join(folder, name));
}

async function ok(at: Home, ...verb: string[]): Promise<string> {
  const { code, stdout, stderr } = await at.inside(...verb);
  assert.equal(code, 0, `${verb.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

async function names(at: Home): Promise<string[]> {
  const { backups } = JSON.parse(await ok(at, 'backups', '--json'));
  return backups.map(({ plan, source }: { plan: string; source: string }) => `${plan} ${source}`);
}

const renamed = (folder: string) =>
  yamlFor(folder)
    .replace('docs-daily: {', 'nightly: { renamedFrom: docs-daily,')
    .replace('  docs: {', '  papers: { renamedFrom: docs,')
    .replace('source: docs', 'source: papers');

test('with the catalog lost, an import gives backups the names that plans and sources have by their `renamedFrom`', async (t) => {
  const at = await home(t);
  await ok(at, 'apply', '--auto-approve');
  await ok(at, 'backup', 'docs-daily');
  await loseCatalog(at);
  await at.write(renamed(at.folder));
  await ok(at, 'apply', '--auto-approve');
  await ok(at, 'catalog', 'import', 'disk');
  assert.deepEqual(await names(at), ['nightly papers']);
  await ok(at, 'restore', 'papers', '--into', join(at.folder, 'into'), '--auto-approve');
  await ok(at, 'backup', 'nightly');
  await ok(at, 'catalog', 'import', 'disk');
  assert.deepEqual(await names(at), ['nightly papers', 'nightly papers']);
});

test('backups that were imported under an old name get the new one by another import', async (t) => {
  const at = await home(t);
  await ok(at, 'apply', '--auto-approve');
  await ok(at, 'backup', 'docs-daily');
  await loseCatalog(at);
  await at.write(renamed(at.folder).replaceAll(/ renamedFrom: [\w-]+,/g, ''));
  await ok(at, 'apply', '--auto-approve');
  await ok(at, 'catalog', 'import', 'disk');
  assert.deepEqual(await names(at), ['docs-daily docs'], 'nobody said that they were renamed');
  await at.write(renamed(at.folder));
  await ok(at, 'apply', '--auto-approve');
  await ok(at, 'catalog', 'import', 'disk');
  assert.deepEqual(await names(at), ['nightly papers']);
});
