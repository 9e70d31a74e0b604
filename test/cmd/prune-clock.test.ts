import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { inside } from './kit.ts';
import { pruneHome } from './prune-kit.ts';

const tenYearsMs = 3650 * 86_400_000;
const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() - tenYearsMs) };

/** Two backups, and two that were made after them while the clock stood ten years back, each of content of its own. */
async function wentBack(t: TestContext, retention: string) {
  const at = await pruneHome(t, { retention });
  const right = await at.backUp(2);
  const back = async (...args: string[]) => inside(args, { cwd: at.folder, clock });
  const behind: string[] = [];
  for (let count = 0; count < 2; count++) {
    await writeFile(join(at.data, 'own.bin'), randomBytes(100_000));
    const made = await back('backup', 'docs-daily', '--json');
    behind.push(JSON.parse(made.stdout).backup);
  }
  return { ...at, right, behind, back };
}

test('what was made while the clock had gone back goes only when a person has seen it, and is named', async (t) => {
  const at = await wentBack(t, '{ last: 2 }');
  const { warnings } = await at.catalog.backups.get(at.behind[0]!);
  assert.match(warnings.join(), /the clock was or is wrong: this backup is dated .*, and an earlier one/);
  const alone = await at.inside('prune', '--auto-approve');
  assert.equal(alone.code, 4, alone.stderr);
  assert.match(
    alone.stderr,
    /nothing of plan docs-daily was let go: 2 backups .* made after others that are dated later/,
  );
  for (const id of at.behind) assert.match(alone.stderr, new RegExp(id));
  assert.equal((await at.snapshots()).length, 4);

  const person = Object.assign(Readable.from(['yes\n']), { isTTY: true });
  const agreed = await inside(['prune', 'docs-daily'], { cwd: at.folder, stdin: person });
  assert.equal(agreed.code, 0, agreed.stderr);
  assert.deepEqual((await at.ids()).toSorted(), at.right.toSorted());
  await at.backUp(1);
  const later = await at.inside('prune', '--auto-approve');
  assert.equal(later.code, 0, `the clock is right since: ${later.stderr}`);
  assert.equal((await at.snapshots()).length, 2);
});

test('while backups are dated in the future nothing goes without a person: the clock may be wrong now', async (t) => {
  const at = await wentBack(t, '{ last: 1 }');
  const alone = await at.back('prune', '--auto-approve');
  assert.equal(alone.code, 4, alone.stderr);
  assert.match(alone.stderr, /backups are dated in the future .*: the clock was or is wrong/);
  assert.equal((await at.snapshots()).length, 4);
});
