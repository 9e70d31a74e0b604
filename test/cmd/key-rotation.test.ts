import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeKeyFile } from '../../core/repository/key-file.ts';
import { openKey } from '../../core/repository/keys.ts';
import { Secret } from '../../core/secret.ts';
import { localStore, sha256 } from '../core/repository/repository-kit.ts';
import { restic } from '../kit/restic.ts';
import { startDaemon } from './daemon-kit.ts';
import { type Home, home, password, type Told, yamlFor } from './kit.ts';

const other = 'battery staple';

test('the password is changed while a daemon makes backups, and no step leaves anybody without', async (t) => {
  const at = await home(t, { surroundings: { keyCost: undefined } });
  await writeFile(join(at.folder, 'other'), `${other}\n`, { mode: 0o600 });
  await at.inside('apply', '--auto-approve');
  const daemon = await startDaemon(t, at);
  const told: Told[] = [];
  const verb = async (code: number, ...args: string[]) => {
    const one = await at.inside(...args);
    assert.equal(one.code, code, `${args.join(' ')}\n${one.stdout}${one.stderr}`);
    told.push(one);
    return one;
  };
  const backup = () => verb(0, 'backup', 'docs-daily');
  await backup();
  const [old] = await keysOf(at);
  const isNeeded = async (whose: string) =>
    assert.match(
      (await verb(6, 'key', 'remove', 'disk', old!.id)).stderr,
      new RegExp(`JOB_CONFLICT: .*${whose} password \\$\\{file:.*hint: .*key add disk`, 's'),
    );
  await isNeeded('applied'); // the last key

  const reference = `\${file:${join(at.folder, 'other')}}`;
  const added = await verb(0, 'key', 'add', 'disk', '--password', reference);
  assert.match(
    added.stdout,
    new RegExp(`run \`tidemark apply\`, then \`tidemark key remove disk ${old!.id.slice(0, 8)}\``),
  );
  assert.match((await verb(0, 'key', 'add', 'disk', '--password', reference)).stdout, /already: nothing was added/);
  await backup();
  await isNeeded('applied');
  const changed = yamlFor(at.folder).replace('/password}', '/other}');
  await at.write(changed);
  await isNeeded('applied');
  await verb(0, 'apply', '--auto-approve');
  await backup();
  await at.write(yamlFor(at.folder));
  await isNeeded('configured');
  await at.write(changed);
  await verb(0, 'key', 'remove', 'disk', old!.id.slice(0, 8));
  await backup();
  await verb(0, 'restore', 'docs', '--into', './back');

  const keys = await keysOf(at);
  assert.deepEqual(
    keys.map(({ state, current }) => [state, current]),
    [['good', true]],
  );
  await verb(6, 'key', 'remove', 'disk', keys[0]!.id);
  assert.match((await at.inside('key', 'remove', 'disk', '')).stderr, /an empty id names no key/);
  const jobs = JSON.parse((await verb(0, 'jobs', '--json')).stdout).jobs;
  assert.deepEqual(
    jobs.filter(({ state }: { state: string }) => state !== 'succeeded'),
    [],
  );
  const byNew = await restic(t, at.repository, other);
  await byNew(['check', '--read-data']);
  assert.equal(JSON.parse((await byNew(['snapshots', '--json'])).stdout).length, 4);
  await assert.rejects((await restic(t, at.repository, password))(['snapshots']), /wrong password/);
  await daemon.end('SIGTERM');
  await assertUntold(at, [password, other], [daemon.output(), ...told.flatMap((one) => [one.stdout, one.stderr])]);
});

test('a damaged key and a weak one are shown, and taken away or made anew as is said', async (t) => {
  const at = await home(t, { surroundings: { keyCost: undefined } });
  await at.inside('apply', '--auto-approve');
  const folder = join(at.repository, 'keys');
  const [first] = await readdir(folder);
  const { master } = await openKey(await localStore(at.repository), new Secret(password));
  const weak = await putKey(folder, await makeKeyFile(master, Buffer.from(password), {}, { N: 8192, r: 8, p: 1 }));
  const cut = 'ab'.repeat(32);
  await writeFile(join(folder, cut), (await readFile(join(folder, first!))).subarray(0, 100));
  const absurd = await putKey(folder, { kdf: 'scrypt', N: 3, r: 8, p: 1, salt: '', data: '' });
  const list = await at.inside('key', 'list', 'disk');
  assert.equal(list.code, 0, list.stderr);
  for (const id of [cut, absurd])
    assert.match(list.stderr, new RegExp(`key ${id.slice(0, 8)} is damaged.*keys/${id}`, 's'));
  assert.match(list.stderr, new RegExp(`key ${weak.slice(0, 8)} is weak: .*N 8192, r 8, p 1`));
  assert.deepEqual(states(await keysOf(at)), {
    [first!]: 'good',
    [weak]: 'weak',
    [cut]: 'damaged',
    [absurd]: 'damaged',
  });
  for (const id of [cut, absurd]) assert.equal((await at.inside('key', 'remove', 'disk', id)).code, 0);

  // With the weak key alone: the same password again makes a strong one, which lets the weak one go.
  assert.equal((await at.inside('key', 'remove', 'disk', first!)).code, 0);
  const again = await at.inside('key', 'add', 'disk', '--password', `\${file:${join(at.folder, 'password')}}`);
  assert.match(again.stdout, new RegExp(`is added\nnext: .*weak key.*key remove disk ${weak.slice(0, 8)}`));
  assert.equal((await at.inside('key', 'remove', 'disk', weak)).code, 0);
  assert.deepEqual(Object.values(states(await keysOf(at))), ['good']);
  await (await restic(t, at.repository, password))(['check']);
});

interface Key {
  readonly id: string;
  readonly state: string;
  readonly current: boolean;
}

async function keysOf(at: Home): Promise<readonly Key[]> {
  return JSON.parse((await at.inside('key', 'list', 'disk', '--json')).stdout).keys;
}

function states(keys: readonly Key[]): Record<string, string> {
  return Object.fromEntries(keys.map(({ id, state }) => [id, state]));
}

async function putKey(folder: string, file: object): Promise<string> {
  const bytes = Buffer.from(JSON.stringify(file));
  await writeFile(join(folder, sha256(bytes)), bytes);
  return sha256(bytes);
}

/** No secret is in what was printed, nor in any byte of the catalog. */
async function assertUntold(at: Home, secrets: readonly string[], texts: readonly string[]): Promise<void> {
  const files = (await readdir(at.folder)).filter((name) => name.startsWith('catalog.db'));
  assert(files.length > 0);
  const catalog = await Promise.all(files.map((name) => readFile(join(at.folder, name), 'latin1')));
  for (const secret of secrets) {
    for (const text of [...texts, ...catalog]) assert.equal(text.includes(secret), false, 'a secret was told');
  }
}
