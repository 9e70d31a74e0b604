import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitCodes } from '../../../core/error-codes.ts';
import { type Home, home, password } from '../../cmd/kit.ts';
import { type Restic, restic } from '../../kit/restic.ts';

interface Listed {
  readonly id: string;
  readonly snapshot: string;
  readonly partial: boolean;
  readonly warnings: readonly string[];
  readonly items: number;
}

async function told(at: Home, ...args: string[]) {
  const { code, stdout, stderr } = await at.inside(...args, '--json');
  return { code, stderr, ...JSON.parse(stdout === '' ? '{}' : stdout) };
}

async function packs({ repository }: Home): Promise<string[]> {
  const names = await readdir(join(repository, 'data'), { recursive: true });
  return names.filter((name) => name.includes('/')).map((name) => join(repository, 'data', name));
}

async function flip(path: string, from = 0, to?: number): Promise<void> {
  const bytes = await readFile(path);
  for (let at = from; at < (to ?? bytes.length); at++) bytes[at]! ^= 0x40;
  await rm(path);
  await writeFile(path, bytes);
}

/** Damages everything that the step stored, and nothing else. */
async function spoiling(at: Home, step: () => Promise<void>): Promise<void> {
  const before = new Set(await packs(at));
  await step();
  for (const pack of await packs(at)) if (!before.has(pack)) await flip(pack);
}

/** Damages the one tree of a folder of the newest snapshot. */
async function spoilFolder(at: Home, stock: Restic, path: string): Promise<void> {
  const cat = async (...args: string[]) => JSON.parse((await stock(['cat', ...args])).stdout);
  const { stdout } = await stock(['snapshots', '--json', '--host', 'alien']);
  let [{ tree }] = JSON.parse(stdout);
  for (const name of path.split('/').slice(1)) {
    tree = (await cat('blob', tree)).nodes.find((node: { name: string }) => node.name === name).subtree;
  }
  for (const id of await readdir(join(at.repository, 'index'))) {
    for (const pack of (await cat('index', id)).packs) {
      const blob = pack.blobs.find((one: { id: string }) => one.id === tree);
      const file = join(at.repository, 'data', pack.id.slice(0, 2), pack.id);
      if (blob !== undefined) return flip(file, blob.offset, blob.offset + blob.length);
    }
  }
  throw new Error('the tree is in no index');
}

test('an import goes on past every kind of damage, names it, and forgets nothing that it cannot read', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const make = async (text: string) => {
    await writeFile(join(at.data, 'one.txt'), text);
    const { backup, code } = await told(at, 'backup', 'docs-daily');
    assert.equal(code, exitCodes.ok);
    return backup as string;
  };
  const stock = await restic(t, at.repository, password);
  const alien = join(at.folder, 'alien');
  await mkdir(join(alien, 'lost/below'), { recursive: true });
  await writeFile(join(alien, 'lost/below/file'), 'x');
  await writeFile(join(alien, 'whole.txt'), 'whole');

  const good = await make('first\n');
  const noSnapshot = await make('second\n');
  let noManifest = '';
  await spoiling(at, async () => {
    noManifest = await make('third\n');
  });
  await stock(['backup', '--host', 'alien', alien]);
  await spoilFolder(at, stock, join(alien, 'lost'));
  await stock(['backup', '--host', 'x'.repeat(300), join(alien, 'whole.txt')]);
  await writeFile(join(alien, 'whole.txt'), 'lost altogether');
  await spoiling(at, async () => {
    await stock(['backup', '--host', 'lost', '--force', alien]);
  });
  const snapshots = new Map((await told(at, 'backups')).backups.map((one: Listed) => [one.id, one.snapshot]));
  await flip(join(at.repository, 'snapshots', String(snapshots.get(noSnapshot))), 20, 21);

  const again = await told(at, 'catalog', 'import', 'disk');
  assert.equal(again.code, exitCodes.partial, again.stderr);
  assert.deepEqual([again.found, again.added, again.removed, again.kept, again.damaged.length], [2, 1, 0, 2, 5]);
  const messages = again.damaged.map((error: { message: string }) => error.message).join('\n');
  assert.match(messages, /the catalog holds 255 characters of a backup's source, not 300/);
  assert.match(messages, /snapshots\/[0-9a-f]{64} is damaged/);
  assert.match(messages, /snapshot [0-9a-f]{8} of .*, of plan docs-daily: .*(damaged|pack)/);
  const listed = new Map<string, Listed>((await told(at, 'backups')).backups.map((one: Listed) => [one.id, one]));
  assert.deepEqual([listed.size, listed.get(good)?.partial], [4, false]);
  for (const id of [noSnapshot, noManifest]) {
    assert.equal(listed.get(id)?.partial, true);
    assert.match(listed.get(id)!.warnings.join(), /damaged in the repository/);
  }
  const foreign = [...listed.values()].find(({ warnings }) => warnings.join().includes('lost cannot be read'));
  assert.ok(foreign?.partial);

  await rm(join(at.folder, 'catalog.db'));
  for (const end of ['-wal', '-shm']) await rm(join(at.folder, `catalog.db${end}`), { force: true });
  const anew = await told(at, 'catalog', 'import', 'disk');
  assert.deepEqual(
    [anew.code, anew.found, anew.added, anew.kept, anew.damaged.length],
    [exitCodes.partial, 2, 2, 0, 5],
  );
  const back = await at.inside('restore', 'docs', '--backup', good, '--into', './back');
  assert.equal(back.code, exitCodes.ok, back.stderr);
  assert.equal(await readFile(join(at.folder, 'back', at.data, 'one.txt'), 'utf8'), 'first\n');
});
