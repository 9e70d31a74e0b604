import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runOk } from '../kit/process.ts';
import { home, launcher } from './kit.ts';

test('verbs, options, choices and names are completed', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const { backup } = JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout);
  const found = async (...words: string[]) =>
    (await at.inside('complete', '--', ...words)).stdout.trim().split('\n').filter(Boolean);
  assert.deepEqual(await found('ba'), ['backup', 'backups']);
  assert.deepEqual(await found('backup', ''), ['docs-daily']);
  assert.deepEqual(await found('backup', 'docs-daily', ''), []);
  assert.deepEqual(await found('backups', '--type', 'l'), ['logical', 'log']);
  assert.deepEqual(await found('restore', '--in'), ['--into']);
  assert.deepEqual(await found('restore', 'docs', '--into', ''), ['docs']);
  assert.deepEqual(await found('-c', 'tidemark.yaml', 'show', backup.slice(0, 4)), [backup]);
  assert.deepEqual(await found('key', ''), ['list', 'add', 'remove', 'export', 'import']);
  assert.deepEqual(await found('key', 'list', 'd'), ['disk']);
  assert.deepEqual(await found('nonsense', 'x'), []);
});

test('the script for bash completes in a bash', async (t) => {
  const at = await home(t);
  await at.inside('apply', '--auto-approve');
  const bin = join(at.folder, 'bin');
  await mkdir(bin);
  await symlink(launcher, join(bin, 'tidemark'));
  const script = `source <(tidemark completion bash)
COMP_WORDS=(tidemark pause docs) COMP_CWORD=2
_tidemark
echo "\${COMPREPLY[@]}"`;
  const env = { PATH: `${bin}:${process.env.PATH}` };
  assert.equal((await runOk('bash', ['-c', script], { cwd: at.folder, env })).stdout, 'docs-daily\n');
});
