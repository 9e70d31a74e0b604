import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseKit } from '../../core/repository/kit.ts';
import { coded } from '../core/repository/repository-kit.ts';
import { runOk } from '../kit/process.ts';
import { restic } from '../kit/restic.ts';
import { smallDisk } from '../kit/small-disk.ts';
import { type Home, home, inside, type Told, yamlFor } from './kit.ts';

interface Kitted {
  readonly at: Home;
  /** The text, and where it is. */
  readonly kit: string;
  readonly file: string;
}

test('a kit opens a repository that lost its keys, its password, its config and its catalog', async (t) => {
  const { at, kit, file } = await kitted(t);
  await rm(join(at.repository, 'keys'), { recursive: true });
  await writeFile(join(at.folder, 'password'), 'quite another\n');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 10);
  const imported = await at.inside('key', 'import', 'disk', '--kit', file);
  assert.match(imported.stdout, /^key [0-9a-f]{8} is added and opens the repository\n$/, imported.stderr);
  assert.match((await at.inside('key', 'import', 'disk', '--kit', file)).stdout, /already/);
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const stock = await restic(t, at.repository, 'quite another');
  await stock(['check', '--read-data']);

  await rm(join(at.repository, 'keys'), { recursive: true });
  await rename(join(at.repository, 'config'), join(at.folder, 'config'));
  for (const name of await readdir(at.folder)) if (name.startsWith('catalog.db')) await rm(join(at.folder, name));
  const again = await at.inside('key', 'import', 'disk', '--kit', file, '--json');
  assert.deepEqual([again.code, JSON.parse(again.stdout).configMade], [0, true], again.stderr);
  await stock(['check', '--read-data']);
  const found = JSON.parse((await at.inside('catalog', 'import', 'disk', '--json')).stdout);
  assert.equal(found.found, 2);
  assert.equal((await at.inside('restore', 'docs', '--into', './back')).code, 0);
  const own = parseKit(kit);
  await untold(at, [own.password, own.key], [imported, again]);
});

test('by what a kit says stock restic opens the repository, without tidemark', async (t) => {
  const { at, kit, file } = await kitted(t);
  await rm(join(at.repository, 'keys'), { recursive: true });
  const lines = kit.split('\n');
  const steps = lines.filter((line) => /^ {2}(awk|name=|mkdir|restic) ?/.test(line)).join('\n');
  assert.equal(steps.split('\n').length, 4, steps);
  await writeFile(join(at.folder, 'kit-password'), parseKit(kit).password);
  const script = steps.replaceAll('REPOSITORY', at.repository).replaceAll('KIT', file);
  const env = { RESTIC_PASSWORD_FILE: join(at.folder, 'kit-password'), RESTIC_CACHE_DIR: join(at.folder, 'cache') };
  const { stdout } = await runOk('sh', ['-euc', script], { cwd: at.folder, env });
  assert.match(stdout, /plan:docs-daily/);
  await (await restic(t, at.repository, parseKit(kit).password))(['check', '--read-data']);
  assert(lines.every((line) => line.length <= 90 && /^[\x20-\x7e]*$/.test(line)));
});

test('a kit is written to a new file that only its owner reads, and nowhere else', async (t) => {
  const { at, kit, file } = await kitted(t);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await symlink(join(at.folder, 'elsewhere'), join(at.folder, 'link'));
  for (const path of [file, 'link', 'no-such-folder/kit', '.']) {
    const told = await at.inside('key', 'export', 'disk', '--out', path);
    assert.deepEqual([told.code, told.stdout], [3, ''], path);
    assert.match(told.stderr, /USAGE: .* cannot be written.*hint: Name a file that is not there yet/s);
  }
  assert.deepEqual([await readFile(file, 'utf8'), existsSync(join(at.folder, 'elsewhere'))], [kit, false]);
  for (const args of [[], ['--stdout', '--out', 'both'], ['--stdout', '--json']]) {
    const told = await at.inside('key', 'export', 'disk', ...args);
    assert.deepEqual([told.code, parses(told.stdout)], [3, false]);
  }
  const printed = await at.inside('key', 'export', 'disk', '--stdout');
  const own = parseKit(printed.stdout);
  assert.notEqual(own.password, parseKit(kit).password);
  assert.equal(printed.stderr, '');
  const disk = await smallDisk(t, 4096);
  await writeFile(join(disk, 'full'), 'full');
  const full = await at.inside('key', 'export', 'disk', '--out', join(disk, 'kit'));
  assert.deepEqual([full.code, await readdir(disk)], [3, ['full']]);
  assert.match(full.stderr, /cannot be written.*ENOSPC/);
  await untold(at, [own.password, own.key, parseKit(kit).password], [full]);
});

test('every mistake in a line that is typed is found and its line is named; how it is set out does not count', async (t) => {
  const { at, kit } = await kitted(t);
  const marked = kit.split('\n').filter((line) => /^(id|chunker|password|name|key \d)\s*\|/.test(line));
  const bare = marked.map((line) => `> ${line.replace(/ {2,}/g, ' ')}  `);
  assert.deepEqual(parseKit([...bare].reverse().join('\r\n')), parseKit(kit));
  const random = seeded(7);
  for (let round = 0; round < 300; round++) {
    const line = Math.floor(random() * marked.length);
    const [label, text, check] = marked[line]!.split('|').map((part) => part.trim());
    const at = Math.floor(random() * text!.length);
    const typed = 'abcdefXYZ0189+/'.replace(text![at]!, '')[Math.floor(random() * 13)]!;
    const wrong = [text!.slice(0, at) + typed + text!.slice(at + 1), text!.slice(0, at) + text!.slice(at + 1)];
    for (const one of wrong) {
      const lines = marked.with(line, `${label} | ${one} | ${check}`).join('\n');
      assert.throws(() => parseKit(lines), coded('KIT_UNUSABLE', new RegExp(`line \`${label}\``)));
    }
  }
  for (const line of marked.keys()) {
    assert.throws(() => parseKit(marked.toSpliced(line, 1).join('\n')), coded('KIT_UNUSABLE', /missing/));
  }
  await writeFile(
    join(at.folder, 'typed'),
    kit.replace(/^key 1 .*/m, (line) => line.replace('scrypt', 'scrybt')),
  );
  const told = await at.inside('key', 'import', 'disk', '--kit', 'typed');
  assert.equal(told.code, 3);
  assert.match(told.stderr, /KIT_UNUSABLE: .*line `key 1`.*\n.*hint: .*sha256sum/s);
  await untold(at, [parseKit(kit).password, 'scrybt'], [told]);
});

test('a kit of another repository, or of two, changes nothing', async (t) => {
  const [one, two] = [await kitted(t), await kitted(t)];
  const keys = await readdir(join(one.at.repository, 'keys'));
  const refused = async (code: number, says: RegExp, text: string) => {
    await writeFile(join(one.at.folder, 'typed'), text);
    const told = await one.at.inside('key', 'import', 'disk', '--kit', 'typed');
    assert.deepEqual([told.code, says.test(told.stderr)], [code, true], told.stderr);
    assert.deepEqual(await readdir(join(one.at.repository, 'keys')), keys);
  };
  await refused(3, /KIT_UNUSABLE: .*is of another repository: [0-9a-f]{64}/, two.kit);
  const password = (kit: string) => /^password .*$/m.exec(kit)![0];
  await refused(
    3,
    /KIT_UNUSABLE: the password of the recovery kit/,
    one.kit.replace(password(one.kit), password(two.kit)),
  );
  await refused(3, /KIT_UNUSABLE: .*holds no line/, 'nothing');
  const config = join(one.at.repository, 'config');
  await rename(config, join(one.at.folder, 'config'));
  await refused(3, /KIT_UNUSABLE: .*is of another repository/, two.kit);
  assert.equal(existsSync(config), false);
  await writeFile(config, Buffer.alloc(200, 1));
  await refused(10, /REPOSITORY_CORRUPT: config is damaged.*\n.*\n.*Move the file `config` out/, one.kit);
  await rm(config);
  assert.equal((await one.at.inside('key', 'import', 'disk', '--kit', one.file)).code, 0);
  // Another repository in the place of the applied one gets no key of ours, though the kit is its own.
  await rm(one.at.repository, { recursive: true });
  await rename(two.at.repository, one.at.repository);
  const told = await one.at.inside('key', 'import', 'disk', '--kit', two.file, '--password', `\${file:${two.file}}`);
  assert.match(told.stderr, /REPOSITORY_OTHER/);
  assert.equal((await readdir(join(one.at.repository, 'keys'))).length, 1);
});

async function kitted(t: TestContext): Promise<Kitted> {
  const at = await home(t);
  await at.write(yamlFor(at.folder));
  await at.inside('apply', '--auto-approve');
  assert.equal((await at.inside('backup', 'docs-daily')).code, 0);
  const file = join(at.folder, 'kit');
  const told = await inside(['key', 'export', 'disk', '--out', 'kit'], { cwd: at.folder });
  assert.equal(told.code, 0, told.stderr);
  const kit = await readFile(file, 'utf8');
  await untold(at, [parseKit(kit).password, parseKit(kit).key], [told]);
  return { at, kit, file };
}

function parses(text: string): boolean {
  try {
    parseKit(text);
    return true;
  } catch {
    return false;
  }
}

/** No part of a secret that is long enough to be told by chance is in what was printed, nor in the catalog. */
async function untold(at: Home, secrets: readonly string[], told: readonly Pick<Told, 'stdout' | 'stderr'>[]) {
  const names = (await readdir(at.folder)).filter((name) => name.startsWith('catalog.db'));
  const catalog = await Promise.all(names.map((name) => readFile(join(at.folder, name), 'latin1')));
  const texts = [...catalog, ...told.flatMap(({ stdout, stderr }) => [stdout, stderr])];
  const parts = secrets.flatMap((secret) => secret.match(/.{8}/g) ?? [secret]);
  for (const text of texts) {
    assert.equal(
      parts.some((part) => text.includes(part)),
      false,
      'a part of a kit was told',
    );
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
