import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { makeSecretResolver } from '../../../core/config/index.ts';
import { hasCode } from '../../../core/error.ts';
import { tempFolder } from '../../kit/temp.ts';
import { errorsOf, load } from './given.ts';

test('references are resolved from the environment, files and credentials', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'db.key'), 'from file \n\r\n');
  const resolve = makeSecretResolver({ env: { DB: 'from env\n' }, credentialsDirectory: folder });
  assert.equal((await resolve('${env:DB}')).reveal(), 'from env\n');
  assert.equal((await resolve(`\${file:${folder}/db.key}`)).reveal(), 'from file ');
  assert.equal((await resolve('${credential:db.key}')).reveal(), 'from file ');
  assert.equal(inspect(await resolve('${env:DB}')), '***');
});

test('a secret that changed is seen at the next use', async (t) => {
  const folder = await tempFolder(t);
  const resolve = makeSecretResolver({ env: {} });
  await writeFile(join(folder, 'key'), 'old');
  assert.equal((await resolve(`\${file:${folder}/key}`)).reveal(), 'old');
  await writeFile(join(folder, 'key'), 'new');
  assert.equal((await resolve(`\${file:${folder}/key}`)).reveal(), 'new');
});

test('what cannot be resolved says why, and never a secret', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'empty'), '\n');
  const resolve = makeSecretResolver({ env: { EMPTY: '' }, credentialsDirectory: folder });
  const expected: Record<string, RegExp> = {
    '${env:GONE}': /^environment variable `GONE` is not set$/,
    '${env:toString}': /^environment variable `toString` is not set$/,
    '${env:EMPTY}': /^environment variable `EMPTY` is empty$/,
    [`\${file:${folder}/gone}`]: /gone} cannot be read: there is no such file or folder$/,
    [`\${file:${folder}/empty}`]: /empty} is empty$/,
    [`\${file:${folder}/folder}`]: /folder} cannot be read: it is not a regular file$/,
    '${credential:gone}': /^credential `gone` cannot be read: there is no such file or folder$/,
    '${credential:../x}': /^this is not a reference to a secret$/,
    '${file:relative}': /^this is not a reference to a secret$/,
    hunter2: /^this is not a reference to a secret$/,
  };
  for (const [reference, message] of Object.entries(expected)) {
    await assert.rejects(
      resolve(reference),
      (error) => hasCode(error, 'SECRET_UNREADABLE') && message.test(error.message),
    );
  }
  const bare = makeSecretResolver({ env: {} })('${credential:x}');
  await assert.rejects(bare, /no credentials were given/);
});

const text = `sources:
  a: { driver: mysql, host: h, user: u, password: "\${env:SET}" }
  b:
    driver: mysql
    host: h
    user: u
    password: \${file:/nowhere/at/all}
  c: { driver: toy, shelves: [{ name: x }, { key: "\${env:UNSET}" }] }
`;

test('secrets that cannot be read are errors where they stand, when asked for', async (t) => {
  const secrets = makeSecretResolver({ env: { SET: 'x' } });
  const errors = errorsOf(await load(t, text, { secrets })).map((error) => error.split(' [')[0]);
  assert.deepEqual(errors, [
    '7:15 unreadable-secret sources.b: ${file:/nowhere/at/all} cannot be read: there is no such file or folder',
    '8:51 unreadable-secret sources.c: environment variable `UNSET` is not set',
  ]);
  assert.deepEqual(errorsOf(await load(t, text)), []);
});

test('a literal secret is nowhere in what is said', async (t) => {
  const literals = [
    'password: s3cr3t-word',
    'password: [s3cr3t-word]',
    'password: { s3cr3t-word: 1 }',
    'password: 83629174',
  ];
  for (const literal of literals) {
    const loaded = await load(t, `sources:\n  a: { driver: mysql, host: h, user: u, ${literal} }\n`);
    assert.deepEqual(
      loaded.diagnostics.map((one) => one.code),
      ['literal-secret'],
    );
    assert.doesNotMatch(JSON.stringify(loaded.diagnostics), /s3cr3t|8362/);
  }
});

test('half a reference is not one', async (t) => {
  for (const half of ['x${env:A}', '${env:A}x', '${env:}', '${ENV:A}', '${vault:a}', '$env:A']) {
    const loaded = await load(t, `sources:\n  a: { driver: mysql, host: h, user: u, password: "${half}" }\n`);
    assert.deepEqual(
      loaded.diagnostics.map((one) => one.code),
      ['literal-secret'],
      half,
    );
  }
});
