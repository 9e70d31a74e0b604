import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesIn, flip } from '../core/repository/check/check-kit.ts';
import { localStore } from '../core/repository/repository-kit.ts';
import { partsOf } from '../core/repository/walk/parts-of.ts';
import { home, password } from './kit.ts';

test('every verb that takes a stale lock away says whose it was and how old', async (t) => {
  const at = await home(t);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const { objects } = await partsOf(await localStore(at.repository), password);
  const verbs = [
    ['backup', 'docs-daily'],
    ['repository', 'check', 'disk'],
    ['restore', 'docs', '--into', join(at.folder, 'into'), '--auto-approve'],
    ['catalog', 'import', 'disk'],
    ['prune', '--auto-approve'],
    ['repository', 'repair', 'disk', '--auto-approve'],
  ];
  for (const verb of verbs) {
    if (verb[1] === 'repair') await flip((await filesIn(at.repository, 'index'))[0]!);
    const time = new Date(Date.now() - 3 * 3600_000).toISOString();
    const lock = {
      time,
      exclusive: false,
      hostname: 'elsewhere',
      username: 'root',
      pid: 4711,
      use: 'write',
      holder: 'X',
    };
    await objects.put('locks', lock);
    const told = await at.inside(...verb);
    const says = new RegExp(
      `warning: the lock of root@elsewhere, process 4711, from ${time}, 3h ago, was taken away: `,
    );
    assert.match(told.stderr, says, `${verb.join(' ')}: ${told.code} ${told.stdout}`);
    assert.deepEqual(await filesIn(at.repository, 'locks'), []);
  }
});
