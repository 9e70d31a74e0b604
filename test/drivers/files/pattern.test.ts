import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathPatterns } from '../../../drivers/files/pattern.ts';

const cases: [pattern: string, matching: string[], others: string[]][] = [
  ['*.tmp', ['/a.tmp', '/x/y/a.tmp', '/x/.tmp'], ['/a.tmpx', '/a.tmp/b']],
  ['**/*.tmp', ['/a.tmp', '/x/y/a.tmp'], ['/a.txt']],
  ['node_modules', ['/node_modules', '/x/node_modules'], ['/node_modules2', '/x/my_node_modules']],
  ['cache/*.db', ['/cache/a.db', '/x/cache/a.db'], ['/cache/x/a.db', '/mycache/a.db']],
  ['/srv/www', ['/srv/www'], ['/x/srv/www', '/srv/www2']],
  ['/srv/**/log', ['/srv/log', '/srv/a/log', '/srv/a/b/log'], ['/log', '/srv/a/log2']],
  ['/srv/**', ['/srv/a', '/srv/a/b'], ['/srv', '/srvx/a']],
  ['a?c', ['/abc', '/x/a\u{1f600}c', '/aéc'], ['/ac', '/a/c']],
  ['[a-c]x', ['/ax', '/cx'], ['/dx', '/[a-c]x']],
  ['[!a]x', ['/bx'], ['/ax']],
  ['\\*', ['/*'], ['/a']],
  ['a.b+(c)', ['/a.b+(c)'], ['/aab+(c)']],
  ['new\nline*', ['/new\nline\n2'], ['/new']],
  ['x*\udcff', ['/xy\udcff'], ['/xy']],
];

for (const [pattern, matching, others] of cases) {
  test(`pattern ${JSON.stringify(pattern)}`, () => {
    const { matches } = pathPatterns([pattern]);
    for (const path of matching) assert(matches(path, nameOf(path)), `${path} should match`);
    for (const path of others) assert(!matches(path, nameOf(path)), `${path} should not match`);
  });
}

test('no pattern matches nothing', () => {
  assert(!pathPatterns([]).matches('/a', 'a'));
  assert(!pathPatterns([]).mayMatchBelow('/'));
});

test('mayMatchBelow follows absolute patterns down and gives up elsewhere', () => {
  const { mayMatchBelow } = pathPatterns(['/srv/*/img', '/data/**/x']);
  for (const path of ['/', '/srv', '/srv/www', '/data', '/data/a/b']) assert(mayMatchBelow(path), path);
  for (const path of ['/etc', '/srv/www/other', '/srv/www/img']) assert(!mayMatchBelow(path), path);
  assert(pathPatterns(['*.txt']).mayMatchBelow('/anything'));
});

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
