import assert from 'node:assert/strict';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { randomBytes } from '../core/repository/repository-kit.ts';
import { type Home, home } from './kit.ts';

async function backedUp(t: TestContext): Promise<Home> {
  const at = await home(t);
  await writeFile(join(at.data, 'large.bin'), randomBytes('large', 1_000_000));
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  return at;
}

async function check(at: Home, ...args: string[]) {
  const { code, stdout } = await at.inside('repository', 'check', 'disk', ...args, '--json');
  const value = JSON.parse(stdout);
  assert.deepEqual(mismatches(value, outputs['repository check'] as Shape), [], stdout);
  return { code, ...value };
}

async function largestPack(at: Home): Promise<string> {
  const packs = await filesIn(at.repository, 'data');
  const sizes = await Promise.all(packs.map(async (path) => ({ path, size: (await stat(path)).size })));
  return sizes.sort((a, b) => b.size - a.size)[0]!.path;
}

test('a damaged file is told with the backup, its plan and its path, until a check finds it mended: no backup does', async (t) => {
  const at = await backedUp(t);
  const good = await check(at, '--read-all');
  assert.deepEqual([good.code, good.verdict, good.backups, good.counts.damage], [0, 'good', 1, 0]);
  assert.equal(good.read.endsRound, true);
  assert.match(
    (await at.inside('repository', 'check', 'disk')).stdout,
    /disk is good: 1 backup,.*\nno data was read;.*\nall data was read last by /,
  );

  const pack = await largestPack(at);
  await flip(pack);
  const structure = await check(at);
  assert.equal(structure.verdict, 'good', 'nothing but the data is damaged, and none was read');
  const bad = await check(at, '--read', '100%');
  assert.deepEqual([bad.code, bad.verdict, bad.hurtBackups], [10, 'damaged', 1]);
  const [{ kind, hurts }] = bad.findings;
  assert.deepEqual([kind, hurts[0].plan, hurts.length], ['pack-damaged', 'docs-daily', 1]);
  assert(
    hurts[0].paths.some((path: string) => path.startsWith('/')),
    JSON.stringify(hurts),
  );
  const status = await at.inside('status');
  assert.match(status.stdout + status.stderr, /the repository of disk is damaged: 1 of 1 backups is not whole; data\//);
  const text = (await at.inside('repository', 'check', 'disk')).stdout;
  assert.match(
    text,
    /damage pack-damaged data\/[\s\S]*BACKUP +PLAN[\s\S]*docs-daily[\s\S]*hint: Bring the file back[\s\S]*disk is damaged: 1 finding, 0 of 1 backup whole/,
  );

  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  assert.match((await at.inside('events')).stdout, /repository\.damaged/);
  assert.doesNotMatch((await at.inside('events')).stdout, /repository\.mended/);
  assert.equal((await check(at)).verdict, 'damaged', 'without any data to read, what was bad is read again');
  await flip(pack);
  assert.deepEqual([(await check(at)).verdict, (await at.inside('repository', 'check', 'disk')).code], ['good', 0]);
  assert.match((await at.inside('events')).stdout, /repository\.mended/);
  assert.doesNotMatch((await at.inside('status')).stdout, /damaged/);
});

test('backups that are gone, repositories that do not open and amounts that are none', async (t) => {
  const at = await backedUp(t);
  const snapshots = join(at.repository, 'snapshots');
  await rename(snapshots, join(at.folder, 'aside'));
  const gone = await check(at);
  assert.deepEqual([gone.code, gone.findings[0].kind, gone.hurtBackups], [10, 'snapshot-gone', 1]);
  await rename(join(at.folder, 'aside'), snapshots);
  for (const amount of ['0%', '101%', '5', 'much', '5GB', '-1%']) {
    const { code, stderr } = await at.inside('repository', 'check', 'disk', `--read=${amount}`);
    assert.equal(code, 3, `${amount}: ${stderr}`);
  }
  assert.equal((await at.inside('repository', 'check', 'disk', '--read', '5%', '--read-all')).code, 3);
  const bare = await at.inside('repository', 'check', 'disk', '--read', '5');
  assert.equal(bare.code, 3, 'five bytes or five percent');
  assert.match(bare.stderr, /`--read 5%`, or a size such as `--read 10GiB`/);
  assert.equal((await at.inside('repository', 'check', 'elsewhere')).code, 3);
  await rm(join(at.repository, 'config'));
  const { code, stderr } = await at.inside('repository', 'check', 'disk');
  assert.deepEqual([code, /REPOSITORY_CORRUPT: .*no file `config`/.test(stderr)], [10, true], stderr);
  assert.match((await at.inside('status')).stdout, /the repository of disk is damaged: .*no file `config`/);
});
