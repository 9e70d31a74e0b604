import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, waitFor } from '../../../kit/process.ts';
import { filesFixture } from '../fixture.ts';

test('files that are rewritten in place at each reading are named and make the backup partial', async (t) => {
  const fixture = await filesFixture(t);
  for (const megabytes of [60, 70]) {
    const path = join(fixture.tree, `${megabytes}`);
    fs.writeFileSync(path, randomFillSync(Buffer.alloc(megabytes * 2 ** 20)));
    const writer = await start(t, process.execPath, ['-e', rewriting, path]);
    await waitFor('the first rewriting', () => writer.output().includes('begun'));
    const { partial, warnings, totals } = await fixture.backUp({ paths: [path] });
    await writer.end('SIGKILL');
    assert.deepEqual([partial, totals.items], [true, 1]);
    assert.match(warnings.join('\n'), new RegExp(`^${path} was rewritten each time it was read`, 'm'));
  }
});

test('a file whose times change at each reading is whole', async (t) => {
  const fixture = await filesFixture(t);
  const path = join(fixture.tree, 'file');
  fs.writeFileSync(path, randomFillSync(Buffer.alloc(60 * 2 ** 20)));
  const writer = await start(t, process.execPath, ['-e', touching, path]);
  await waitFor('the first touch', () => writer.output().includes('begun'));
  const { partial, warnings } = await fixture.backUp({ paths: [path] });
  await writer.end('SIGKILL');
  assert.equal(partial, false);
  assert.match(warnings.join('\n'), /changed while it was read: the backup holds what was in it at \d{4}-/);
});

const rewriting = `
  const fs = require('node:fs');
  const file = fs.openSync(process.argv[1], 'r+');
  const places = fs.fstatSync(file).size / 4096;
  for (let count = 0; ; count++) {
    fs.writeSync(file, Buffer.alloc(4096, String(count)), 0, 4096, Math.floor(Math.random() * places) * 4096);
    if (count === 0) fs.writeSync(1, 'begun');
  }
`;

const touching = `
  const fs = require('node:fs');
  for (let count = 0; ; count++) {
    fs.utimesSync(process.argv[1], count, count);
    if (count === 0) fs.writeSync(1, 'begun');
  }
`;
