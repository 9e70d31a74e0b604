import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asTidemarkError } from '../../core/error.ts';
import { run, runOk } from '../kit/process.ts';
import { home, launcher } from './kit.ts';

/** Each thread takes some of the address space: with one processor there is one. */
const processor = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;

/** Of address space: room for none of the tables that reserve much, and for the first of them alone. */
for (const kibibytes of [4_200_000, 12_200_000])
  test(`with \`ulimit -v ${kibibytes}\` backups, checks and restores do`, async (t) => {
    const place = await home(t);
    const limited = async (...args: string[]) => {
      const command = ['-c', `ulimit -v ${kibibytes}; exec taskset -c ${processor} "$0" "$@"`, launcher, ...args];
      const { code, stderr } = await run('sh', command, { cwd: place.folder });
      assert.equal(code, 0, `${args[0]}: ${stderr}`);
    };
    await limited('apply', '--auto-approve');
    await limited('backup', 'docs-daily');
    await limited('repository', 'check', '--read-all', 'disk');
    await limited('restore', 'docs', '--into', join(place.folder, 'into'));
    await runOk('diff', ['--recursive', place.data, join(place.folder, 'into', place.data)]);
  });

test('memory that cannot be had is no defect', () => {
  assert.throws(
    () => new SharedArrayBuffer(2 ** 52),
    (thrown) => {
      const { code, hint } = asTidemarkError(thrown);
      assert.deepEqual([code, /ulimit -v/.test(hint!)], ['OUT_OF_MEMORY', true]);
      return true;
    },
  );
});
