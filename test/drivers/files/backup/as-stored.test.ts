import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FolderBatches } from '../../../../drivers/files/backup/folder-batches.ts';
import { LifoPool } from '../../../../drivers/files/backup/lifo-pool.ts';
import type { FolderResult, FolderTask } from '../../../../drivers/files/backup/scan-task.ts';
import { type Fixture, filesFixture } from '../fixture.ts';

const odd = ['plain', 'ünï', 'line\nfeed', 'back\\slash', '"<&>"', Buffer.from([0x66, 0xff, 0xfe])];

/** Folders of folders with odd names; the same content in several files. */
function makeTree(root: string): void {
  for (let folder = 0; folder < 30; folder++) {
    const path = join(root, `area-${folder % 3}`, `set-${folder}`);
    fs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 6; file++)
      fs.writeFileSync(join(path, `file-${file}`), `${folder} ${file % 4}`.repeat(9));
    const name = odd[folder % odd.length]!;
    fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name)]), `odd ${folder}`);
    if (folder % 7 === 0) fs.symlinkSync(`to ${folder}`, join(path, 'link'));
    if (folder % 9 === 0) fs.linkSync(join(path, 'file-0'), join(path, 'second name'));
  }
}

/** Each leaves the rest of its folder, and most folders, as they are. */
const changes: Readonly<Record<string, (root: string) => void>> = {
  'nothing changes': () => {},
  'a file has other bytes, and its size and mtime as before; others are new, gone, renamed': (root) => {
    const path = join(root, 'area-0/set-3/file-1');
    const { atime, mtime, size } = fs.statSync(path);
    fs.writeFileSync(path, 'x'.repeat(size));
    fs.utimesSync(path, atime, mtime);
    fs.writeFileSync(join(root, 'area-1/set-4/between'), 'new');
    fs.rmSync(join(root, 'area-1/set-7/file-5'));
    fs.renameSync(join(root, 'area-2/set-2/file-2'), join(root, 'area-2/set-2/a'));
  },
  'modes, owners, links and times change; folders and links are replaced': (root) => {
    fs.chmodSync(join(root, 'area-0/set-0/file-0'), 0o4711);
    fs.chownSync(join(root, 'area-0/set-3/file-0'), 12, 34);
    fs.linkSync(join(root, 'area-0/set-6/file-0'), join(root, 'area-0/set-6/zz'));
    fs.utimesSync(join(root, 'area-0/set-9/file-3'), new Date(-1000), new Date(86_400_000));
    fs.readFileSync(join(root, 'area-0/set-12/file-3')); // moves its atime, and no other
    fs.chmodSync(join(root, 'area-0/set-15'), 0o700);
    fs.rmSync(join(root, 'area-1/set-1'), { recursive: true });
    fs.writeFileSync(join(root, 'area-1/set-1'), 'a file now');
    fs.rmSync(join(root, 'area-0/set-0/link'));
    fs.symlinkSync('elsewhere', join(root, 'area-0/set-0/link'));
    fs.rmSync(join(root, 'area-2/set-5/file-0'));
    fs.mkdirSync(join(root, 'area-2/set-5/file-0/deep'), { recursive: true });
  },
  'a folder of known files gets more than one task reads, another loses all below it': (root) => {
    for (let at = 0; at < 1100; at++) fs.writeFileSync(join(root, 'area-2/set-8', `more-${at}`), `more ${at}`);
    fs.rmSync(join(root, 'area-1'), { recursive: true });
  },
};

test('what is taken over as it was stored gives the same backup as one that reads everything', async (t) => {
  const fixture = await filesFixture(t);
  makeTree(fixture.tree);
  await fixture.backUp();
  for (const [what, change] of Object.entries(changes)) {
    change(fixture.tree);
    const taken = await backUp(fixture, {});
    const anew = await backUp(fixture, { parent: undefined });
    assert.deepEqual(taken, anew, what);
  }
  assert.match((await fixture.restic(['check', '--read-data'])).stdout, /no errors were found/);
  const exclude = ['file-3'];
  const taken = await backUp(fixture, {}, { exclude });
  assert.deepEqual(taken, await backUp(fixture, { parent: undefined }, { exclude }));
  assert(!taken.nodes.some(({ name }) => name === 'file-3'));
});

async function backUp(fixture: Fixture, request: { parent?: undefined }, settings: Record<string, unknown> = {}) {
  const { contents, warnings, partial } = await fixture.backUp(settings, request);
  const { unchanged: _, ...counts } = contents[0]!;
  // Whatever else runs on this machine may list its folders.
  const nodes = [...(await fixture.nodes())].map(([path, node]) => ({
    path,
    ...node,
    atimeNs: 0n,
    subtree: undefined,
  }));
  return { nodes, counts, warnings, partial };
}

test('folders that a thread leaves of a batch have their turn; one that fails fails what waits for it', async () => {
  const asked: string[][] = [];
  const scan = async (folders: readonly FolderTask[]) => {
    asked.push(folders.map(({ path }) => path));
    if (folders.some(({ path }) => path === '/bad')) throw new Error('bad');
    return folders.slice(0, 2).map(({ path }) => ({ report: path }) as unknown as FolderResult);
  };
  const batches = new FolderBatches({ pool: new LifoPool(2), scan });
  const run = (path: string) =>
    batches.run(async () => ({ path, included: true, plain: false })) as Promise<FolderResult>;
  const paths = Array.from({ length: 100 }, (_, at) => `/${at}`);
  const results = await Promise.all(paths.map(run));
  assert.deepEqual(
    results.map(({ report }) => report as unknown),
    paths,
  );
  assert(asked.length < 75 && Math.max(...asked.map(({ length }) => length)) <= 16);
  await assert.rejects(run('/bad'), /bad/);
  assert.equal((await run('/good')).report as unknown, '/good');
});
