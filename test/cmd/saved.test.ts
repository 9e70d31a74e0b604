import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../kit/process.ts';
import { home, launcher, yamlFor } from './kit.ts';

test('of two saved change sets that are applied at once one is applied, and the other is told CHANGE_STALE', async (t) => {
  for (const round of [1, 2, 3]) {
    const at = await home(t);
    await at.inside('plan', '--out', 'one.json');
    await at.write(yamlFor(at.folder).replace('docs-daily:', 'docs-other:'));
    await at.inside('plan', '--out', 'two.json');
    const applies = ['one.json', 'two.json'].map((saved) => run(launcher, ['apply', saved], { cwd: at.folder }));
    const ran = (await Promise.all(applies)).toSorted((a, b) => a.code! - b.code!);
    assert.deepEqual(
      ran.map(({ code }) => code),
      [0, 6],
      `round ${round}: ${ran.map(({ stderr }) => stderr).join('')}`,
    );
    assert.match(ran[1]!.stderr, /^error CHANGE_STALE: .*serial/);
    assert.match(ran[0]!.stdout, /^applied: 3 added/);
    assert.equal((await run('ls', [join(at.repository, 'keys')])).stdout.trim().split('\n').length, 1);
  }
});
