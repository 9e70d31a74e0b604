import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomBytes } from '../core/repository/repository-kit.ts';
import { run, runOk } from '../kit/process.ts';
import { restic } from '../kit/restic.ts';
import { home, launcher, password } from './kit.ts';

const hook = join(import.meta.dirname, '../kit/without-native.cjs');
const env = { NODE_OPTIONS: `--require ${hook}` };

test('without the functions of zstd and OpenSSL the built-in ones write and read the same', async (t) => {
  const probe = `const { libzstd } = await import('${join(import.meta.dirname, '../../core/repository/format/libzstd.ts')}');
    const { openSsl } = await import('${join(import.meta.dirname, '../../core/repository/format/openssl.ts')}');
    console.log(libzstd() === undefined, openSsl() === undefined);`;
  const { stdout } = await runOk(process.execPath, ['--input-type=module', '-e', probe], { env });
  assert.equal(stdout, 'true true\n', 'neither can be called');
  const place = await home(t);
  for (let file = 0; file < 60; file++) {
    const bytes = file % 3 === 0 ? randomBytes(`${file}`, 40_000 * file) : Buffer.alloc(9_000 * file, `text ${file} `);
    writeFileSync(join(place.data, `file-${file}`), bytes);
  }
  const tidemark = async (args: string[], by: Record<string, string>) => {
    const { code, stderr } = await run(launcher, args, { cwd: place.folder, env: by });
    assert.equal(code, 0, `${args}: ${stderr}`);
  };
  await tidemark(['apply', '--auto-approve'], env);
  await tidemark(['backup', 'docs-daily'], env);
  await tidemark(['repository', 'check', '--read-all', 'disk'], env);
  for (const [name, by] of [
    ['built-in', env],
    ['native', {}],
  ] as const) {
    const into = join(place.folder, name);
    await tidemark(['restore', 'docs', '--into', into], by);
    await runOk('diff', ['--recursive', place.data, join(into, place.data)]);
  }
  const stock = await restic(t, place.repository, password);
  await stock(['check', '--read-data']);
  const into = join(place.folder, 'restic');
  await stock(['restore', 'latest', '--target', into]);
  await runOk('diff', ['--recursive', place.data, join(into, place.data)]);
});
