import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { inside } from './kit.ts';
import { pruneHome, pruneYaml } from './prune-kit.ts';

test('a dry run tells what stays and goes, and why, and changes nothing; a run does that and no more', async (t) => {
  const at = await pruneHome(t);
  const ids = await at.backUp(4);
  const before = [await at.snapshots(), await at.packBytes()];
  const dry = await at.inside('prune', '--dry-run', '--json');
  assert.equal(dry.code, 0, dry.stderr);
  const [{ decisions, space }] = JSON.parse(dry.stdout).destinations;
  const told = decisions.map((one: { backup: string; keep: boolean; reasons: { text: string }[] }) => [
    one.backup,
    one.keep,
    one.reasons.map(({ text }) => text).join(', '),
  ]);
  assert.deepEqual(told, [
    [ids[3], true, 'the last good backup, last 1'],
    [ids[2], true, 'last 2'],
    [ids[1], false, 'no rule keeps it'],
    [ids[0], false, 'no rule keeps it'],
  ]);
  assert.ok(space.markBytes > 2_000_000 && space.removeBytes === 0, JSON.stringify(space));
  assert.match((await at.inside('prune', '--dry-run')).stdout, /2 backups stay, 2 backups go/);
  assert.deepEqual([await at.snapshots(), await at.packBytes()], before);

  assert.equal((await at.inside('prune')).code, 3, 'nobody can be asked');
  const person = (answer: string) => Object.assign(Readable.from([`${answer}\n`]), { isTTY: true });
  const declined = await inside(['prune'], { cwd: at.folder, stdin: person('no') });
  assert.equal(declined.code, 130);
  assert.match(declined.stderr, /to mark and delete later.*Delete 2 backups for good\?/s);
  assert.deepEqual([await at.snapshots(), await at.packBytes()], before);
  const agreed = await inside(['prune'], { cwd: at.folder, stdin: person('yes') });
  assert.equal(agreed.code, 0, agreed.stderr);
  assert.match(
    agreed.stdout,
    /2 backups deleted, \d+ B taken \(0 B deleted, \d+ B written anew\), .* MiB marked to be freed later/,
  );
  assert.deepEqual([await at.ids(), (await at.snapshots()).length], [[ids[3], ids[2]], 2]);
  const between = await at.packBytes();
  const ripe = await at.inside('prune', '--auto-approve', '--json');
  assert.equal(ripe.code, 0, ripe.stderr);
  const [{ job }] = JSON.parse(ripe.stdout).destinations;
  assert.equal(job.result.removedBytes, between - (await at.packBytes()) + job.result.copiedBytes);
  assert.equal(job.result.netBytes, between - (await at.packBytes()));
  assert.ok(job.result.removedBytes > 2_000_000);
  await at.judge(['check', '--read-data']);
  assert.match(
    (await at.inside('events')).stdout,
    /repository.pruned .*nobody could begin for .*taken.*marked to be freed later.*backup.expired .*2 backups in disk/s,
  );
});

test('a full disk: --now frees at once, without grace', async (t) => {
  const at = await pruneHome(t, { daemon: 'grace: 24h, maxUnused: "0%"' });
  await at.backUp(3);
  const before = await at.packBytes();
  const { stdout } = await at.inside('prune', '--now', '--auto-approve', '--json');
  const [{ job }] = JSON.parse(stdout).destinations;
  assert.equal(job.result.expiredCount, 1);
  assert.ok((await at.packBytes()) < before - 900_000);
  await at.judge(['check', '--read-data']);
});

test('retention is that of the applied plan: no policy, other plans and orphans keep everything', async (t) => {
  const at = await pruneHome(t, { plans: ['docs-daily', 'docs-other', 'docs-gone'] });
  const daily = await at.backUp(3, 'docs-daily');
  const other = await at.backUp(3, 'docs-other');
  const gone = await at.backUp(3, 'docs-gone');
  const foreign = JSON.parse((await at.judge(['backup', at.data, '--json'])).stdout.trim().split('\n').at(-1)!);
  const named = await at.inside('prune', 'docs-daily', '--auto-approve');
  assert.equal(named.code, 0, named.stderr);
  assert.deepEqual(await at.ids(), [...gone.toReversed(), ...other.toReversed(), ...daily.slice(1).toReversed()]);
  await at.write(
    pruneYaml(at.folder, ['docs-daily', 'docs-other'], '{ last: 1 }', 'grace: 0s').replace(
      'docs-other: {',
      'docs-other: { labels: { a: b }, ',
    ),
  );
  const desired = await at.inside('prune', '--auto-approve');
  assert.equal(desired.code, 0);
  assert.deepEqual(
    await at.ids(),
    [...gone.slice(1).toReversed(), ...other.slice(1).toReversed(), ...daily.slice(1).toReversed()],
    'what the files say is not applied',
  );
  const { stdout } = await at.inside('catalog', 'import', 'disk', '--json');
  assert.equal(JSON.parse(stdout).found, 7);
  await at.inside('prune', '--auto-approve');
  assert.ok((await at.snapshots()).some((id) => id.startsWith(foreign.snapshot_id)));
  assert.equal((await at.inside('prune', 'no-such')).code, 5);
});

test('what an import found and does not show what its plan backs up is of another catalog, and stays', async (t) => {
  const at = await pruneHome(t);
  const ids = await at.backUp(2);
  const { folder } = await pruneHome(t);
  await at.write(
    pruneYaml(at.folder, ['docs-daily'], '{ last: 1 }', 'grace: 0s')
      .replace('catalog.db', 'theirs.db')
      .replace(`[${at.data}]`, `[${folder}]`),
  );
  const theirs = (...args: string[]) => at.inside(...args);
  assert.equal((await theirs('apply', '--auto-approve')).code, 0);
  const own: string[] = [];
  for (let count = 0; count < 2; count++)
    own.push(JSON.parse((await theirs('backup', 'docs-daily', '--json')).stdout).backup);
  assert.equal((await theirs('catalog', 'import', 'disk')).code, 0);
  const pruned = await theirs('prune', '--auto-approve', '--json');
  assert.equal(pruned.code, 0, pruned.stderr);
  const listed = JSON.parse((await theirs('backups', '--json')).stdout).backups.map((one: { id: string }) => one.id);
  assert.deepEqual(listed, [own[1], ids[1], ids[0]]);
  assert.match(pruned.stdout, /does not show what its plan backs up/);
});

test('what was agreed to and is needed by now stays, and is told, and so does what was not shown', async (t) => {
  const at = await pruneHome(t);
  const [first, second, third] = await at.backUp(4);
  const asked = Promise.withResolvers<void>();
  const stdin = Object.assign(
    Readable.from(
      (async function* () {
        await asked.promise;
        await at.backUp(1); // by which a third one would go that was not shown
        await at.catalog.retained.pin('disk', first!, { at: new Date(), by: 'somebody' });
        yield 'yes\n';
      })(),
    ),
    { isTTY: true },
  );
  const stderr = {
    text: '',
    write: (text: string) => {
      stderr.text += text;
      if (text.includes('for good?')) asked.resolve();
    },
  };
  const pruned = await inside(['prune'], { cwd: at.folder, stdin, stderr });
  assert.equal(pruned.code, 4, stderr.text);
  assert.match(pruned.stdout, new RegExp(`${first} was not deleted: it stays now: pinned`));
  assert.deepEqual((await at.ids()).includes(second!), false);
  assert.deepEqual((await at.ids()).includes(first!), true);
  assert.deepEqual((await at.ids()).includes(third!), true);
});

test('what a crash left half deleted is finished by the next prune, whatever its plan', async (t) => {
  const at = await pruneHome(t, { retention: '{ last: 9 }' });
  const ids = await at.backUp(3);
  const copies = await Promise.all(ids.map((id) => at.catalog.backups.get(id)));
  for (const one of copies.slice(0, 2)) assert.equal(await at.catalog.backups.expire(one), undefined);
  await at.judge(['forget', copies[1]!.snapshot]);
  assert.equal((await at.inside('prune', '--auto-approve')).code, 0);
  assert.deepEqual([await at.ids(), await at.snapshots()], [[ids[2]], [copies[2]!.snapshot]]);
});

test('a destination that cannot be pruned costs itself, and the verb does not say good', async (t) => {
  const at = await pruneHome(t);
  await at.backUp(3);
  const yaml = pruneYaml(at.folder, ['docs-daily'], '{ last: 2 }', 'grace: 0s').replace(
    'retention:\n',
    `  away: { driver: local, path: ${at.folder}/away, password: "\${file:${at.folder}/password}" }\nretention:\n`,
  );
  await at.write(yaml);
  assert.equal((await at.inside('apply', '--auto-approve')).code, 0);
  const { rename } = await import('node:fs/promises');
  await rename(`${at.folder}/away`, `${at.folder}/gone`);
  const pruned = await at.inside('prune', '--auto-approve');
  assert.equal(pruned.code, 4, pruned.stderr);
  assert.match(pruned.stderr, /REPOSITORY_MISSING.*at destinations.away/s);
  assert.equal((await at.snapshots()).length, 2, 'the other one is pruned');
});
