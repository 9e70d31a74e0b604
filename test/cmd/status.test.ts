import assert from 'node:assert/strict';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { home, inside, yamlFor } from './kit.ts';

test('a destination that should be pruned by a schedule is a problem when none ever ran, or it is gone, with since when', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  const statusAfter = (days: number) => {
    const clock = { ...systemClock, now: () => new Date(Date.now() + days * 86_400_000) };
    return inside(['status'], { cwd: at.folder, clock });
  };
  assert.doesNotMatch((await statusAfter(2)).stdout, /pruned/);
  const never = await statusAfter(4);
  assert.match(
    never.stdout,
    /disk was never pruned since it was applied, at 20[-0-9]+ [0-9:]+, 4d ago.*no prune has run/,
  );
  await rename(at.repository, `${at.repository}.away`);
  const failed = await at.inside('prune', '--auto-approve', '--json');
  assert.notEqual(failed.code, 0);
  assert.match((await statusAfter(4)).stdout, /disk was never pruned since it was applied, at /);
  await rename(`${at.repository}.away`, at.repository);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.doesNotMatch((await statusAfter(2)).stdout, /pruned/);
  assert.match(
    (await statusAfter(4)).stdout,
    /disk was pruned to its end for the last time, at 20[-0-9]+ [0-9:]+, 4d ago/,
  );
});

test('a prune by hand that fails is a problem at once, with its reason, and leaves an event', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const { backup } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  assert.equal((await at.inside('pin', backup)).code, 0);
  const [pin] = await readdir(join(at.repository, 'pins'));
  await writeFile(join(at.repository, 'pins', pin!), 'xx');
  assert.notEqual((await at.inside('prune', '--auto-approve')).code, 0);
  const { problems, safe } = JSON.parse((await at.inside('status', '--json')).stdout);
  assert.match(problems.join(), /^disk could not be pruned: REPOSITORY_CORRUPT: .*pin/);
  assert.equal(safe, false);
  assert.match((await at.inside('events')).stdout, /prune.*REPOSITORY_CORRUPT|REPOSITORY_CORRUPT.*prune/);
  await rm(join(at.repository, 'pins', pin!));
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual(JSON.parse((await at.inside('status', '--json')).stdout).problems, []);
});

test('what is not safe is said, and with --check it is the exit code', async (t) => {
  const at = await home(t, { plan: 'schedule: "0 3 * * *", timezone: UTC' });
  const empty = await at.inside('status', '--check');
  assert.equal(empty.code, 1, 'of nothing one cannot say that it is safe');
  assert.match(empty.stdout, /not safe: 1 problem\n {2}no source is applied, so nothing is backed up/);
  assert.equal(JSON.parse((await at.inside('status', '--json')).stdout).safe, false);
  await at.inside('apply', '--auto-approve');
  const fresh = await at.inside('status', '--check');
  assert.equal(fresh.code, 1);
  assert.match(
    fresh.stdout,
    /not safe: 2 problems\n {2}no daemon is running.*\n {2}docs: docs-daily has no backup yet/,
  );
  await at.inside('backup', 'docs-daily');
  await at.inside('pause', 'docs-daily');
  assert.match((await at.inside('status')).stdout, /docs +paused +docs-daily[\s\S]*docs: docs-daily is paused since/);
  await at.inside('resume', 'docs-daily');
  const later = { ...systemClock, now: () => new Date(Date.now() + 3 * 86_400_000) };
  const old = await inside(['status'], { cwd: at.folder, clock: later });
  assert.match(old.stdout, /docs-daily should run every 1d; its newest backup is 3d/);
});

test('a failed run shows until one succeeds', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await rename(at.data, `${at.data}.away`);
  const failed = await at.inside('backup', 'docs-daily');
  assert.match(failed.stderr, /^error SOURCE_\w+: /m);
  await rename(`${at.data}.away`, at.data);
  const failing = JSON.parse((await at.inside('status', '--json')).stdout).sources[0];
  assert.equal(failing.state, 'failing');
  await at.inside('backup', 'docs-daily');
  const [source] = JSON.parse((await at.inside('status', '--json')).stdout).sources;
  assert.deepEqual([source.state, source.problems], ['manual', []]);
});

test('a manual plan with a backup needs no daemon to be safe', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  const told = await at.inside('status', '--check');
  assert.deepEqual([told.code, /\nsafe: 1 source, no problems\n$/.test(told.stdout)], [0, true], told.stdout);
});

test('a backup of another source, or in another place, keeps nobody safe', async (t) => {
  const at = await home(t, { surroundings: { env: { P: 'x' } } });
  const problems = async () => JSON.parse((await at.inside('status', '--json')).stdout).sources[0].problems;
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  assert.deepEqual(await problems(), []);
  const moved = yamlFor(at.folder).replace('plans:', `  other: ${localAt(join(at.folder, 'other'))}\nplans:`);
  await at.write(moved.replace('[disk]', '[other]'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.deepEqual(await problems(), ['docs-daily has no backup yet']);
  await at.inside('backup', 'docs-daily');
  assert.deepEqual(await problems(), []);
  const deep = `sources:\n  deep: { driver: files, paths: [${join(at.data, 'deep')}] }`;
  await at.write(moved.replace('[disk]', '[other]').replace('sources:', deep).replace('source: docs', 'source: deep'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.deepEqual(await problems(), ['docs-daily has no backup yet']);
  const [{ plans }] = JSON.parse((await at.inside('status', '--json')).stdout).sources;
  assert.equal(plans[0].lastSuccessAt, undefined);
});

function localAt(path: string): string {
  return `{ driver: local, path: ${path}, password: "\${env:P}" }`;
}

test('a plan that is resumed has missed nothing of what was due while it was paused, daemon or not', async (t) => {
  const at = await home(t, { plan: 'schedule: "*/5 * * * *"' });
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('pause', 'docs-daily')).code, 0);
  await using catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  await catalog.plans.update('docs-daily', { scheduledThrough: new Date(Date.now() - 3_600_000) });
  const resumedAt = new Date();
  assert.equal((await at.inside('resume', 'docs-daily')).code, 0);
  const { pausedAt, scheduledThrough } = await catalog.plans.get('docs-daily');
  assert.deepEqual([pausedAt, scheduledThrough! >= resumedAt], [undefined, true]);
  const later = new Date(Date.now() + 3_600_000);
  await catalog.plans.update('docs-daily', { pausedAt: resumedAt, scheduledThrough: later });
  await at.inside('resume', 'docs-daily');
  assert.deepEqual((await catalog.plans.get('docs-daily')).scheduledThrough, later, 'it never goes back');
});
