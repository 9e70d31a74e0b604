import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseTime } from '../../cmd/arguments.ts';
import { parseTarget } from '../../cmd/restore.ts';
import { systemClock } from '../../core/clock.ts';
import { asTidemarkError } from '../../core/error.ts';
import { home, inside } from './kit.ts';

test('--to restores the second that a backup shows, and refuses any other with the nearest ones', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const ids: string[] = [];
  for (const [day, text] of [
    [1, 'first\n'],
    [2, 'second\n'],
  ] as const) {
    await writeFile(join(at.data, 'one.txt'), text);
    const startMs = Date.parse(`2026-11-0${day}T03:00:00.250Z`) - systemClock.now().getTime();
    const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + startMs) };
    const told = await inside(['backup', 'docs-daily', '--json'], { cwd: at.folder, clock });
    ids.push(JSON.parse(told.stdout).backup);
  }
  const { backups } = JSON.parse((await at.inside('backups', '--json')).stdout);
  const firstAt = backups[1].consistentAt.slice(0, 19);
  const noon = { cwd: at.folder, clock: { ...systemClock, now: () => new Date('2026-11-05T12:00:00Z') } };

  const exact = await inside(['restore', 'docs', '--to', `${firstAt}Z`, '--into', './first'], noon);
  assert.equal(exact.code, 0, exact.stderr);
  assert.equal(await readFile(join(at.folder, 'first', at.data, 'one.txt'), 'utf8'), 'first\n');

  const between = await inside(['restore', 'docs', '--to', '2026-11-01T12:00:00Z', '--into', './no'], noon);
  assert.equal(between.code, 5);
  assert.match(between.stderr, /no backup shows 2026-11-01T12:00:00\.000Z, and no archived log leads there/);
  assert.match(
    between.stderr,
    new RegExp(`before: 2026-11-01T03.*--backup ${ids[0]}.*after: 2026-11-02T03.*--backup ${ids[1]}`),
  );
  const early = await inside(['restore', 'docs', '--to', '2025-01-01T00:00:00Z', '--into', './no'], noon);
  assert.deepEqual([early.code, early.stderr.includes(ids[0]!)], [5, true]);
  const future = await inside(['restore', 'docs', '--to', '2027-01-01T00:00:00Z', '--into', './no'], noon);
  assert.deepEqual([future.code, /in the future/.test(future.stderr)], [5, true]);
});

test('a restore in place is confirmed on a terminal', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await writeFile(join(at.data, 'one.txt'), 'lost\n');
  const answer = (text: string) =>
    inside(['restore', 'docs', '--into', 'docs', '--overwrite'], { cwd: at.folder, stdin: terminal(text) });
  const refused = await answer('y\n');
  assert.deepEqual([refused.code, /nothing was done/.test(refused.stderr)], [130, true]);
  assert.equal(await readFile(join(at.data, 'one.txt'), 'utf8'), 'lost\n');
  const agreed = await answer('yes\n');
  assert.equal(agreed.code, 0, agreed.stderr);
  assert.equal(await readFile(join(at.data, 'one.txt'), 'utf8'), 'one\n');
});

test('a target is a folder when it looks like one', () => {
  assert.deepEqual(parseTarget('./a', '/home'), { folder: '/home/a' });
  assert.deepEqual(parseTarget('../a', '/home/x'), { folder: '/home/a' });
  assert.deepEqual(parseTarget('/a/', '/home'), { folder: '/a' });
  assert.deepEqual(parseTarget('shop', '/home'), { source: 'shop' });
});

test('times are ISO, or of this machine, or a span ago', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const iso = (text: string) => parseTime(text, now).toISOString();
  assert.equal(iso('2026-11-20T10:00:00Z'), '2026-11-20T10:00:00.000Z');
  assert.equal(iso('2026-11-20T10:00+02:00'), '2026-11-20T08:00:00.000Z');
  assert.equal(iso('2026-11-20 10:00:30'), new Date(2026, 10, 20, 10, 0, 30).toISOString());
  assert.equal(iso('2026-11-20'), new Date(2026, 10, 20).toISOString());
  assert.equal(iso('1d12h'), '2026-11-19T00:00:00.000Z');
  for (const text of ['', 'noon', '2026-13-01', '2026-11-20T25:00Z', '20 November']) {
    assert.throws(
      () => parseTime(text, now),
      (thrown) => asTidemarkError(thrown).code === 'USAGE',
      text,
    );
  }
});

function terminal(text: string) {
  return {
    isTTY: true,
    async *[Symbol.asyncIterator]() {
      yield text;
    },
  };
}

test('two restores into one folder and one below it go one after the other', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await Promise.all([symlink('.', join(at.folder, 'link')), mkdir(join(at.folder, 'there'))]);
  const targets = ['./there', './link/there/below', './there/below/deep'];
  const told = await Promise.all(targets.map((into) => at.tidemark('restore', 'docs', '--into', into, '--overwrite')));
  for (const one of told) assert.equal(one.code, 0, one.stderr);
  const { restores } = JSON.parse((await at.inside('restores', '--json')).stdout);
  const spans = restores.map((job: { startedAt: string; endedAt: string }) => [job.startedAt, job.endedAt]).sort();
  for (const [at, span] of spans.slice(1).entries()) assert.ok(spans[at]![1]! <= span[0]!, JSON.stringify(spans));
});
