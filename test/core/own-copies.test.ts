import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RetainedCopy } from '../../core/catalog/index.ts';
import { sameIdentity, withMachine } from '../../core/driver/index.ts';
import { ownAndForeign } from '../../core/own-copies.ts';
import { machine } from '../../drivers/files/system/machine.ts';
import { tempFolder } from '../kit/temp.ts';

const bare = 'web:/srv';
const [here, there] = ['a', 'b'].map((digit) => withMachine(bare, digit.repeat(16))) as [string, string];

test('two machines of one name are two sources, and an identity of before the machine was told goes on matching', () => {
  assert.equal(sameIdentity(here, there), false);
  assert.equal(sameIdentity(here, here), true);
  for (const known of [here, there]) assert(sameIdentity(bare, known) && sameIdentity(known, bare));
  assert.equal(sameIdentity('web:/etc', here), false);
  assert.equal(sameIdentity(undefined, undefined), false);
});

test('backups of another machine of the same name are not judged with those of this one', () => {
  const copies = [copy(here, true), copy(there, true), copy(here, false), copy(bare, true)];
  const own = (identity: string, of = copies) =>
    ownAndForeign(of, new Map([['sources.web', { identity }]])).own.map((one) => of.indexOf(one));
  assert.deepEqual(own(here), [0, 2, 3]);
  assert.deepEqual(own(bare), [0, 2, 3], 'what was made here tells the machine that the applied source does not');
  assert.deepEqual(own(bare, copies.slice(0, 2)), [0, 1], 'nothing tells them apart');
});

test('a machine without an id of its own is told by its name alone', async (t) => {
  const path = join(await tempFolder(t), 'machine-id');
  assert.equal(await machine(path), undefined);
  await writeFile(path, 'uninitialized\n');
  assert.equal(await machine(path), undefined);
  await writeFile(path, `${'1f'.repeat(16)}\n`);
  assert.match((await machine(path))!, /^[0-9a-f]{16}$/);
});

function copy(identity: string, imported: boolean): RetainedCopy {
  return { source: 'web', identity, imported } as RetainedCopy;
}
