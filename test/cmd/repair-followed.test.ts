import assert from 'node:assert/strict';
import { rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { randomBytes } from '../core/repository/repository-kit.ts';
import { restic } from '../kit/restic.ts';
import { type Home, home, password } from './kit.ts';

interface Listed {
  readonly id: string;
  readonly snapshot: string;
  readonly plan: string;
  readonly items: number;
  readonly sizeBytes: number;
  readonly pin?: { readonly reason?: string };
}

async function listed(at: Home): Promise<readonly Listed[]> {
  return JSON.parse((await at.inside('backups', '--json')).stdout).backups;
}

async function withLarge(t: TestContext): Promise<Home> {
  const at = await home(t);
  await writeFile(join(at.data, 'large.bin'), randomBytes('large', 1_500_000));
  await symlink('one.txt', join(at.data, 'link'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  return at;
}

/** Damages all that has the large file. */
async function loseLarge({ repository }: Home): Promise<void> {
  for (const pack of await filesIn(repository, 'data')) if ((await stat(pack)).size > 1_000_000) await flip(pack);
}

async function repair(at: Home): Promise<void> {
  const { code, stderr, stdout } = await at.inside('repository', 'repair', 'disk', '--auto-approve');
  assert.equal(code, 4, stderr + stdout);
}

async function repairEvents(at: Home): Promise<readonly string[]> {
  const { events } = JSON.parse((await at.inside('events', '--kind', 'backup.repaired', '--json')).stdout);
  return events.map(({ text, count }: { text: string; count: number }) => `${count} ${text}`);
}

test('a backup that a repair took something from has the size and the number of items that are left', async (t) => {
  const at = await withLarge(t);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  await loseLarge(at);
  await repair(at);
  await rm(join(at.data, 'large.bin'));
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const [without, repaired] = await listed(at);
  assert.deepEqual([repaired!.items, repaired!.sizeBytes], [without!.items, without!.sizeBytes]);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  assert.deepEqual((await listed(at))[1], repaired, 'its manifest says the same');
});

test('what a repair took from a backup is told once, also when the repair is cut off after it', async (t) => {
  const at = await withLarge(t);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  await loseLarge(at);
  await repair(at);
  const [old] = await filesIn(at.repository, 'damaged/snapshots');
  await rename(old!, join(at.repository, 'snapshots', basename(old!))); // as if it had been killed before it moved it
  const [before, events] = [await listed(at), await repairEvents(at)];
  assert.match(events.join(), /^1 backup \w+ of docs-daily, snapshot \w{8}: lost 1 files .*it is snapshot \w{8} now$/);
  await repair(at);
  assert.deepEqual(await repairEvents(at), events);
  assert.deepEqual(await listed(at), before);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
});

test('a pin of a snapshot of restic’s goes over to the one that a repair puts in its place', async (t) => {
  const at = await withLarge(t);
  const stock = await restic(t, at.repository, password);
  await stock(['backup', at.data]);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const [snapshot] = await listed(at);
  assert.equal((await at.inside('pin', snapshot!.id, '--reason', 'law')).code, 0);
  await loseLarge(at);
  await repair(at);
  assert.equal((await at.inside('catalog', 'import', 'disk')).code, 0);
  const [after, ...more] = await listed(at);
  assert.deepEqual([more, after!.pin?.reason], [[], 'law']);
  assert.notEqual(after!.id, snapshot!.id);
  assert.equal((await at.inside('repository', 'check', 'disk', '--read-all')).code, 0);
});
