import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../../../core/config/index.ts';
import { drivers, errorsOf } from './given.ts';

test('every example configuration loads', async () => {
  const folder = join(import.meta.dirname, '../../../examples');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  assert.ok(files.includes('tidemark.yaml'));
  for (const file of files) assert.deepEqual(errorsOf(await loadConfiguration(join(folder, file), drivers)), [], file);
});
