import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../kit/process.ts';
import { home, launcher } from './kit.ts';

test('a result that the device has no space for is an error on stderr; a reader that goes away is none', async (t) => {
  const at = await home(t);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const shell = (line: string) => run('bash', ['-c', line, 'bash', launcher], { cwd: at.folder });
  for (const verb of ['status', 'status --json', 'backups', 'key export disk --stdout', '--help']) {
    const full = await shell(`"$1" ${verb} > /dev/full`);
    assert.equal(full.code, 9, verb);
    assert.match(
      full.stderr,
      /^error OUTPUT_UNWRITABLE: what was printed could not be written to stdout: ENOSPC.*\n {2}hint: /,
      verb,
    );
    const closed = await shell(`"$1" ${verb} | true; echo "\${PIPESTATUS[0]}"`);
    assert.deepEqual([closed.stdout, closed.stderr], ['0\n', ''], verb);
  }
  const wrong = await shell('"$1" backups --json --plan nosuch > /dev/full');
  assert.match(wrong.stderr, /OUTPUT_UNWRITABLE/);
  const both = await shell('"$1" status --json > /dev/full 2>&1');
  assert.equal(both.code, 9, 'nobody hears why, and it is no success');
});
