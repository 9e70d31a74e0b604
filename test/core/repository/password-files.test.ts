import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeSecretResolver } from '../../../core/config/index.ts';
import { passwordInFile } from '../../../core/password-file.ts';
import { Repository } from '../../../core/repository/index.ts';
import { run, runOk } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';
import { coded, newPlace, openOptions, type Place } from './repository-kit.ts';

const secret = makeSecretResolver({ env: {} });
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

/** Files and the part of them that is the password, as restic takes it. */
const files: Record<string, [file: Buffer, password: Buffer]> = {
  'text, line end': [Buffer.from('secret\r\n'), Buffer.from('secret')],
  'spaces around': [Buffer.from(' \t\v\f secret  \n '), Buffer.from('secret')],
  'spaces of Unicode around': [Buffer.from('\u00a0\u2003secret\u3000\u0085\u2028'), Buffer.from('secret')],
  'lone bytes that would be spaces': [Buffer.of(0xa0, 1, 2, 0x85), Buffer.of(0xa0, 1, 2, 0x85)],
  'half of a space at the end': [Buffer.of(65, 0xe2, 0x80), Buffer.of(65, 0xe2, 0x80)],
  'not UTF-8 before a space of Unicode': [Buffer.of(0xff, 0xc2, 0xa0), Buffer.of(0xff)],
  'no space though it looks like one': [Buffer.from('\u200bsecret\ufeff'), Buffer.from('\u200bsecret\ufeff')],
  'a byte order mark': [Buffer.from('\ufeffsecret\n'), Buffer.from('secret')],
  'two byte order marks': [Buffer.from('\ufeff\ufeffsecret'), Buffer.from('\ufeffsecret')],
  'a byte order mark, then not UTF-8': [Buffer.of(0xef, 0xbb, 0xbf, 0xff, 0x80, 10), Buffer.of(0xff, 0x80)],
  'UTF-16': [utf16(' sécret😀\r\n'), Buffer.from('sécret😀')],
  'UTF-16, the other way round': [utf16('sécret\n').swap16(), Buffer.from('sécret')],
  NUL: [Buffer.of(0, 65, 0, 10), Buffer.of(0, 65, 0)],
  'a NUL in the middle': [Buffer.from('one\0two\n'), Buffer.from('one\0two')],
  'line ends inside': [Buffer.from('one\ntwo\n\n'), Buffer.from('one\ntwo')],
};

for (let at = 0; at < 20; at++) {
  const edges = [0x20, 0x0a, 0x85, 0xa0, 0xc2, 0xe2, 0xff, 0x0d, 0x00, 0x80];
  const bytes = Buffer.concat([Buffer.of(edges[at % 10]!), seeded(at), Buffer.of(edges[(at * 3) % 10]!)]);
  files[`random bytes ${at}`] = [bytes, trimmedByHand(bytes)];
}

test('what a password file says is what restic takes', async (t) => {
  const place = await newPlace(t);
  const folder = await tempFolder(t);
  await inFours(Object.entries(files), async ([what, [file, password]], at) => {
    assert.deepEqual(Buffer.from(passwordInFile(file)), password, what);
    const path = join(folder, `key ${at}`);
    await writeFile(path, file);
    await opensWithBoth(t, place, path, what);
  });
});

test('a file that differs in a byte that counts opens for neither, and a key of restic’s opens for us', async (t) => {
  const place = await newPlace(t);
  const folder = await tempFolder(t);
  const path = join(folder, 'key');
  for (const [at, file] of [Buffer.from([0xff, 0xfd, 1, 2]), Buffer.from([0x20, 0xe9, 0x80, 0x0a])].entries()) {
    await writeFile(path, file);
    await runOk('restic', [...repositoryOf(place), 'key', 'add', '--new-password-file', path], { env: ours });
    await Repository.open(openOptions(place.store, { password: await secret(`\${file:${path}}`) }));
    const other = Buffer.from(file);
    other[at + 1]! ^= 0x01;
    await writeFile(path, other);
    await assert.rejects(
      Repository.open(openOptions(place.store, { password: await secret(`\${file:${path}}`) })),
      coded('REPOSITORY_PASSWORD'),
    );
    assert.notEqual((await run('restic', [...repositoryOf(place), '--password-file', path, 'cat', 'config'])).code, 0);
  }
});

test('what restic and we would not read alike is refused', async (t) => {
  const path = join(await tempFolder(t), 'key');
  const { store } = await newPlace(t);
  for (const [bytes, says] of [
    [Buffer.from(' \u2003\n'), /empty but for white space/],
    [Buffer.of(0xff, 0xfe), /empty but for white space/],
    [Buffer.of(0xff, 0xfe, 65, 0, 66), /is not UTF-16/],
    [Buffer.of(0xff, 0xfe, 0x00, 0xdc, 65, 0), /is not UTF-16/],
    [Buffer.of(0xfe, 0xff, 0xd8, 0x00), /is not UTF-16/],
  ] as const) {
    await writeFile(path, bytes);
    const password = await secret(`\${file:${path}}`);
    await assert.rejects(Repository.open(openOptions(store, { password })), coded('SECRET_UNREADABLE', says));
  }
});

test('a repository whose password had spaces around it still opens, and others do not for that', async (t) => {
  const { store, repository } = await newPlace(t);
  const { Secret } = await import('../../../core/secret.ts');
  const former = await repository.addKey(new Secret(' with spaces '));
  const opened = await Repository.open(openOptions(store, { password: new Secret(Buffer.from(' with spaces \n')) }));
  assert.deepEqual(
    (await opened.keys()).filter(({ current }) => current).map(({ id }) => id),
    [former],
  );
  const password = new Secret(Buffer.from('with spaces\n'));
  await assert.rejects(Repository.open(openOptions(store, { password })), coded('REPOSITORY_PASSWORD'));
});

const ours = { RESTIC_PASSWORD: 'correct horse' };

/** A key of ours for the file opens for restic with the very same file, and for us again. */
async function opensWithBoth(t: TestContext, place: Place, path: string, what: string): Promise<void> {
  const password = await secret(`\${file:${path}}`);
  const id = await place.repository.addKey(password);
  const hint = ['--key-hint', id, '--password-file', path];
  const opened = await run('restic', [...repositoryOf(place), ...hint, 'cat', 'config']);
  assert.equal(opened.code, 0, `${what}: ${opened.stderr}`);
  await Repository.open(openOptions(place.store, { password }));
  await rm(join(place.folder, 'keys', id));
  t.diagnostic(what);
}

function repositoryOf({ folder }: Place): string[] {
  return ['--repo', folder, '--no-cache', '--no-lock'];
}

function seeded(at: number): Buffer {
  return crypto.hash('sha256', `password ${at}`, 'buffer').subarray(0, 30);
}

/** Bytes of our own making begin and end with at most one white space, and none is of several bytes but U+0085, U+00A0. */
function trimmedByHand(bytes: Buffer): Buffer {
  const isSpace = (byte: number) => [9, 10, 11, 12, 13, 32].includes(byte);
  let [start, end] = [0, bytes.length];
  while (isSpace(bytes[start]!)) start += 1;
  for (;;) {
    if (isSpace(bytes[end - 1]!)) end -= 1;
    else if (bytes[end - 2] === 0xc2 && [0x85, 0xa0].includes(bytes[end - 1]!)) end -= 2;
    else return bytes.subarray(start, end);
  }
}

async function inFours<T>(items: readonly T[], work: (item: T, at: number) => Promise<void>): Promise<void> {
  const waiting = items.entries();
  const lane = async () => {
    for (const [at, item] of waiting) await work(item, at);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}
