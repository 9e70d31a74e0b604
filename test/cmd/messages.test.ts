import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTidemarkError, TidemarkError } from '../../core/error.ts';
import { run } from '../kit/process.ts';
import { home, inside, launcher, yamlFor } from './kit.ts';

test('what the command line lacks is said with a hint, as text and as JSON, with exit code 3', async (t) => {
  const at = await home(t);
  const lines: [string[], RegExp][] = [
    [['frobnicate'], /^error USAGE: unknown command 'frobnicate'\n {2}hint: /],
    [['backp'], /hint: Did you mean backup\?/],
    [['backup'], /^error USAGE: missing required argument 'plan'/],
    [['backups', '--limit', '0'], /whole number from 1 on/],
    [['restore', 'docs'], /hint: .*`--into \.\/folder`.*`--into docs` restores in place/],
    [['restore', 'docs', '--into', './x', '--to', 'noon'], /`noon` is not a time/],
    [['restore', 'docs', '--into', './x', '--to', '1d', '--backup', 'x'], /exclude each other/],
  ];
  for (const [args, expected] of lines) {
    const told = await at.inside(...args);
    assert.deepEqual([told.code, told.stdout], [3, ''], args.join(' '));
    assert.match(told.stderr, expected);
    const json = await at.inside(...args, '--json');
    const { code, kind, hint } = JSON.parse(json.stdout).error;
    assert.deepEqual([json.code, json.stderr, code, kind, typeof hint], [3, '', 'USAGE', 'config', 'string']);
  }
});

test('help and version go to stdout with exit code 0', async () => {
  assert.match((await inside(['--help'])).stdout, /^Usage: tidemark/);
  assert.match((await inside(['restore', '--help'])).stdout, /--into <target>/);
  assert.deepEqual(await inside(['--version']), { code: 0, stdout: '0.0.0\n', stderr: '' });
});

test('without a configuration the places are named', async (t) => {
  const { folder } = await home(t);
  const told = await inside(['status'], { cwd: join(folder, 'data') });
  assert.equal(told.code, 3);
  assert.match(
    told.stderr,
    /^error CONFIG_NOT_FOUND: .*\.\/tidemark\.yaml nor \/etc\/tidemark\n {2}hint: .*tidemark init/,
  );
});

test('every mistake of a configuration is shown with its place; verbs that do not need the rest go on', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.write(yamlFor(at.folder).replace('manual:', 'manul:').replace('driver: local', 'driver: lokal'));
  const told = await at.inside('validate');
  assert.equal(told.code, 3);
  assert.match(told.stderr, /^tidemark\.yaml:4:\d+: error: .*lokal.*\n {2}hint: Did you mean `local`/);
  assert.match(told.stderr, /\ntidemark\.yaml:6:\d+: error: .*manul/);
  assert.match(told.stderr, /\nerror CONFIG_INVALID: the configuration has 2 errors\n$/);
  const json = JSON.parse((await at.inside('validate', '--json')).stdout);
  assert.deepEqual([json.valid, json.diagnostics.length, json.diagnostics[0].position.line], [false, 2, 4]);
  const plan = await at.inside('plan', '--json');
  assert.deepEqual([plan.code, JSON.parse(plan.stdout).diagnostics.length], [3, 2]);
  assert.equal((await at.inside('plan', '--detailed-exitcode')).code, 1);

  assert.equal((await at.inside('backups')).code, 0);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
});

test('several things that cannot be used are all told, and nothing is applied', async (t) => {
  const at = await home(t);
  await writeFile(join(at.folder, 'occupied'), '');
  const yaml = yamlFor(at.folder).replace(`${at.repository},`, `${at.folder}/occupied,`).replace(at.data, '/no/such');
  await at.write(yaml);
  const told = await at.inside('apply', '--auto-approve', '--json');
  const { error, errors } = JSON.parse(told.stdout);
  assert.equal(error.code, 'PROBE_FAILED');
  assert.deepEqual(errors.map((one: { subject: string }) => one.subject).sort(), ['destinations.disk', 'sources.docs']);
  assert.equal((await at.inside('backups')).stdout, 'no backups\n');
});

test('what probes find is told with its hint, also when nothing is to be applied', async (t) => {
  const at = await home(t);
  await at.write(yamlFor(at.folder).replace(`[${at.data}]`, `[${at.data}, ${at.folder}/gone]`));
  for (const outcome of [/^applied: 3 added/, /^nothing to apply/]) {
    const told = await at.inside('apply', '--auto-approve');
    assert.deepEqual([told.code, outcome.test(told.stdout)], [0, true], told.stderr);
    assert.match(told.stderr, /warning: sources\.docs: .*\/gone cannot be backed up: .*\n {2}hint: Correct the path/);
  }
  await rm(at.repository, { recursive: true });
  const lost = await at.inside('apply');
  assert.deepEqual([lost.code, lost.stdout], [5, ''], lost.stderr);
  assert.match(
    lost.stderr,
    /warning: sources\.docs: (?:.*\n)+error REPOSITORY_MISSING: .*\n {2}at destinations\.disk\n {2}hint: /,
  );
  const json = await at.inside('apply', '--json');
  assert.deepEqual([json.code, JSON.parse(json.stdout).error.code], [5, 'REPOSITORY_MISSING']);
  assert.equal(existsSync(join(at.repository, 'config')), false, 'no new repository in the place of the lost one');
});

test('a refused change set is shown, exits with 6, and leaves everything as it is', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  await at.inside('backup', 'docs-daily');
  await at.write(yamlFor(at.folder).replace('docs-daily', 'other'));
  const plan = await at.inside('plan');
  assert.deepEqual([plan.code, /! refuse plans\.docs-daily/.test(plan.stdout)], [6, true]);
  assert.match(plan.stdout, /hint: If `other` is its new name, write `renamedFrom: docs-daily` there\. Otherwise/);
  const apply = await at.inside('apply', '--auto-approve');
  assert.deepEqual([apply.code, /error CHANGE_REFUSED/.test(apply.stderr)], [6, true]);
  const markdown = (await at.inside('plan', '--markdown')).stdout;
  assert.match(markdown, /^\*\*tidemark plan\*\*/);
});

test('init writes a valid configuration once', async (t) => {
  const { folder } = await home(t);
  const told = await inside(['init', 'new.yaml'], { cwd: folder });
  assert.equal(told.code, 0);
  const valid = await inside(['validate', '--no-secrets', '-c', 'new.yaml'], { cwd: folder });
  assert.deepEqual([valid.code, valid.stdout], [0, 'valid: 3 resources in 1 file\n'], valid.stderr);
  const again = await inside(['init', 'new.yaml'], { cwd: folder });
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [3, true]);
});

test('colours only on a terminal that wants them', async (t) => {
  const at = await home(t);
  const shown = async (env: Record<string, string>, ...args: string[]) => {
    const texts: string[] = [];
    const stdout = { isTTY: true, columns: 100, write: (part: string) => texts.push(part) };
    await inside(['plan', ...args], { cwd: at.folder, stdout, env });
    return texts.join('').includes('\x1b[');
  };
  assert.equal(await shown({}), true);
  assert.equal(await shown({ NO_COLOR: '1' }), false);
  assert.equal(await shown({ TERM: 'dumb' }), false);
  assert.equal(await shown({}, '--no-color'), false);
});

test('a signal cancels the job that runs here, and a second one does not wait', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const cancelled = asTidemarkError(new TidemarkError('CANCELLED', 'ended by SIGINT'));
  const told = await inside(['backup', 'docs-daily'], { cwd: at.folder, ending: AbortSignal.abort(cancelled) });
  assert.deepEqual([told.code, /error CANCELLED/.test(told.stderr)], [130, true]);
  const both = { ending: abortedSoon(cancelled), endingNow: abortedSoon(cancelled) };
  const atOnce = await inside(['backup', 'docs-daily'], { cwd: at.folder, ...both });
  assert.equal(atOnce.code, 130);
});

test('apply asks on a terminal, takes only yes, and ends', async (t) => {
  const at = await home(t);
  const onTerminal = (input: string) =>
    run('script', ['--quiet', '--return', '--command', `${launcher} apply`, '/dev/null'], { cwd: at.folder, input });
  const no = await onTerminal('n\n');
  assert.deepEqual([no.code, /Apply this\?.*CANCELLED: nothing was done/s.test(no.stdout)], [130, true], no.stdout);
  const yes = await onTerminal('yes\n');
  assert.deepEqual([yes.code, /applied: 3 added/.test(yes.stdout)], [0, true], yes.stdout);
});

function abortedSoon(reason: TidemarkError): AbortSignal {
  const controller = new AbortController();
  setImmediate(() => controller.abort(reason));
  return controller.signal;
}
