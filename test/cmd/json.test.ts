import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { openSqliteCatalog } from '../../core/catalog/index.ts';
import { systemClock } from '../../core/clock.ts';
import { failure, mismatches, outputs, type Shape } from '../../docs/json-shapes.ts';
import { home, inside, yamlFor } from './kit.ts';

test('what verbs print with --json is what the reference says, no field more or less', async (t) => {
  const at = await home(t, { plan: 'schedule: "0 3 * * *"' });
  const seen = new Set<string>();
  const told = async (verb: string, ...args: string[]) => {
    const { stdout, stderr } = await at.inside(...args, '--json');
    const value = JSON.parse(stdout || '{}');
    assert.deepEqual(mismatches(value, outputs[verb] as Shape), [], `${args.join(' ')}\n${stdout}${stderr}`);
    seen.add(verb);
    return value;
  };

  await told('init', 'init', 'other.yaml');
  await told('validate', 'validate');
  await told('plan', 'plan');
  await told('apply', 'apply', '--auto-approve');
  await told('status', 'status');
  const { backup } = await told('backup', 'backup', 'docs-daily');
  await told('backups', 'backups');
  await told('show', 'show', backup);
  await told('show --tree', 'show', backup, '--tree', at.data);
  await told('restore', 'restore', 'docs', '--into', './out');
  await told('download', 'download', backup, '-o', 'files');
  await told('restores', 'restores');
  await told('pause', 'pause', 'docs-daily');
  await told('status', 'status');
  await told('resume', 'resume', 'docs-daily');
  await told('events', 'events');
  await told('jobs', 'jobs');
  await told('repository check', 'repository', 'check', 'disk', '--read', '5%');
  await told('repository stats', 'repository', 'stats', 'disk');
  await told('repository repair', 'repository', 'repair', 'disk');
  await told('repository unlock', 'repository', 'unlock', 'disk');
  const { key } = await told(
    'key add',
    'key',
    'add',
    'disk',
    '--password',
    `\${file:${join(at.folder, 'tidemark.yaml')}}`,
  );
  assert.equal((await told('key list', 'key', 'list', 'disk')).keys.length, 2);
  await told('key remove', 'key', 'remove', 'disk', key.slice(0, 8));
  await told('key export', 'key', 'export', 'disk', '--out', 'kit');
  await told('key import', 'key', 'import', 'disk', '--kit', 'kit');
  await told('catalog import', 'catalog', 'import', 'disk');
  await told('pin', 'pin', backup, '--reason', 'for good');
  await told('unpin', 'unpin', backup);
  await told('prune', 'prune', '--dry-run');
  await told('delete', 'delete', backup, '--auto-approve', '--even-the-last');
  await using catalog = await openSqliteCatalog(join(at.folder, 'catalog.db'), systemClock);
  const waiting = await catalog.jobs.add({
    kind: 'backup',
    trigger: 'manual',
    source: 'docs',
    request: {},
    uses: [],
    attempts: 1,
  });
  const { job } = await told('cancel', 'cancel', waiting.id.slice(-6));
  assert.deepEqual([job.id, job.state], [waiting.id, 'cancelled']);
  assert.deepEqual(
    Object.keys(outputs).filter((verb) => !seen.has(verb)),
    [],
  );

  const failed = async (...args: string[]) => JSON.parse((await at.inside(...args, '--json')).stdout);
  assert.deepEqual(mismatches(await failed('backup', 'no-such'), failure), []);
  assert.deepEqual(mismatches(await failed('restore', 'docs', '--into', './out'), failure), []);
  await at.write(yamlFor(at.folder).replace('manual', 'manul'));
  assert.deepEqual(mismatches(await failed('plan'), failure), []);
});

test('a mismatch is seen', () => {
  const shape: Shape = { name: 'text: x', 'size?': 'bytes: x', list: 'Position[]: x', at: 'time: x' };
  const value = { size: 1.5, list: [{ file: '/a', line: 1, column: '2' }], more: 1, at: '2026-01-01' };
  assert.deepEqual(mismatches(value, shape), [
    '$.more is not documented',
    '$.name is missing',
    '$.size is not of type bytes',
    '$.list[0].column is not of type number',
    '$.at is not of type time',
  ]);
});

test('a key: typed, piped in, or referred to, and never on the command line', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const piped = await inside(['key', 'add', 'disk'], { cwd: at.folder, stdin: Readable.from(['second\n']) });
  assert.equal(piped.code, 0, piped.stderr);
  const keys = Readable.from(['thi', 'rt\x7fd\r', 'third\r']);
  const stdin = Object.assign(keys, { isTTY: true, setRawMode: () => {} });
  const typed = await inside(['key', 'add', 'disk'], { cwd: at.folder, stdin });
  assert.deepEqual([typed.code, typed.stderr], [0, 'New password: \nAgain: \n']);
  const differing = Object.assign(Readable.from(['a\r', 'b\r']), { isTTY: true, setRawMode: () => {} });
  assert.equal((await inside(['key', 'add', 'disk'], { cwd: at.folder, stdin: differing })).code, 3);
  const literal = await at.inside('key', 'add', 'disk', '--password', 'literal');
  assert.deepEqual([literal.code, literal.stderr.includes('literal')], [3, false]);

  for (const text of ['second', 'third']) {
    await writeFile(join(at.folder, 'password'), text);
    assert.equal((await at.inside('key', 'list', 'disk')).code, 0, text);
  }
  await writeFile(join(at.folder, 'password'), 'none of them');
  assert.equal((await at.inside('key', 'list', 'disk')).code, 7);
});
