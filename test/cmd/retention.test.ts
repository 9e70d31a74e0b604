import assert from 'node:assert/strict';
import { test } from 'node:test';
import { home, yamlFor } from './kit.ts';

const kept = (folder: string, rules: string) =>
  `${yamlFor(folder, 'manual: true, retention: few')}\nretention:\n  few: ${rules}\n`;

test('a plan of fewer backups shows which go, and is applied by a person only', async (t) => {
  const at = await home(t);
  await at.write(kept(at.folder, '{ last: 3 }'));
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    ids.push(JSON.parse((await at.inside('backup', 'docs-daily', '--json')).stdout).backup);
  }
  const [oldest, pinned] = ids as [string, string];
  assert.equal((await at.inside('pin', pinned)).code, 0);
  await at.write(kept(at.folder, '{ last: 1 }'));

  const shown = await at.inside('plan');
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /change retention\.few \(destructive\)/);
  assert.match(shown.stdout, new RegExp(`1 of 3 backups of docs-daily in disk \\(.*\\) will expire: ${oldest} of 20`));
  const actions = async () => JSON.parse((await at.inside('plan', '--json')).stdout).actions;
  const [{ consequences }] = await actions();
  assert.deepEqual(
    consequences[0].expiring.map(({ id }: { id: string }) => id),
    [oldest],
  );
  assert.match((await at.inside('plan', '--markdown')).stdout, new RegExp(oldest));

  const unasked = await at.inside('apply');
  assert.equal(unasked.code, 3, unasked.stdout);
  assert.equal((await actions()).length, 1);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  assert.deepEqual(await actions(), []);
});
