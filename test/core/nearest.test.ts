import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../core/nearest.ts';

test('finds what a slip of the finger meant, and nothing in the distance', () => {
  const known = ['schedule', 'source', 'retention', 'oneFileSystem', 'nas'];
  const expected: Record<string, string | undefined> = {
    schedul: 'schedule',
    scheudle: 'schedule',
    Source: 'source',
    'one-file-system': 'oneFileSystem',
    nsa: 'nas',
    nax: 'nas',
    n: undefined,
    colour: undefined,
    '': undefined,
  };
  for (const [word, meant] of Object.entries(expected)) assert.equal(nearest(word, known), meant, word);
});

test('prefers the closer one, whichever comes first', () => {
  assert.equal(nearest('shop-ro', ['shop-rx', 'shop-ro']), 'shop-ro');
  assert.equal(nearest('backups', ['backup', 'backups']), 'backups');
});
