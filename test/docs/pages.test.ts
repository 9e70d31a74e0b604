import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pages, pageText } from '../../docs/pages.ts';

const folder = join(import.meta.dirname, '../../docs');

for (const path of Object.keys(pages)) {
  test(`docs/${path} is current`, async () => {
    assert.equal(await readFile(join(folder, path), 'utf8'), pageText(path), 'run `npm run docs`');
  });
}

test('the configuration reference knows every driver and error code', () => {
  const reference = pageText('reference/configuration.md');
  for (const heading of ['## plans', '### driver: mysql', '### driver: local', '## daemon']) {
    assert.ok(reference.includes(`\n${heading}\n`), heading);
  }
  assert.ok(reference.includes('| `retry.attempts` | whole number 1 to 100 | `1` |'));
  assert.ok(pageText('reference/errors.md').includes('| `REPOSITORY_LOCKED` | conflict | 6 |'));
});
