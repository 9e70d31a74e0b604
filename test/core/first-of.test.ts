import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstOf } from '../../core/first-of.ts';

test('a long list names the first and counts the others', () => {
  assert.equal(firstOf([], 2), '');
  assert.equal(firstOf(['a', 'b'], 2), 'a, b');
  assert.equal(firstOf(['a', 'b', 'c', 'd'], 2), 'a, b, and 2 more');
  assert.equal(firstOf(['a', 'b', 'c'], 1, '; '), 'a; and 2 more');
});
