import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files } from '../../drivers/files/index.ts';
import { pathPatterns } from '../../drivers/files/pattern.ts';
import { mysql } from '../../drivers/mysql/index.ts';
import { parseSelection } from '../../drivers/mysql/inventory/selection.ts';

const tables = mysql.patterns!;
const paths = files.patterns!;

test('which patterns of tables cover which', () => {
  const covering: [string, string][] = [
    ['*', 'shop.orders'],
    ['shop', 'shop.*'],
    ['shop.*', 'shop'],
    ['sh*.o*', 'shop.o*s'],
    ['*.*', '*'],
    ['shop.*', 'shop.a.b'],
  ];
  for (const [wide, narrow] of covering) assert.ok(tables.covers(wide, narrow), `${wide} covers ${narrow}`);
  for (const [wide, narrow] of [
    ['shop.o*', 'shop.*'],
    ['shop.orders', 'shop.order*'],
    ['shop', '*'],
    ['shop.*', 'Shop.*'],
    ['shop.a.c', 'shopxa.c'],
  ]) {
    assert.ok(!tables.covers(wide!, narrow!), `${wide} does not cover ${narrow}`);
  }
});

test('which paths cover which', () => {
  const covering: [string, string][] = [
    ['/srv', '/srv/www/a'],
    ['/srv/*', '/srv/www/a'],
    ['/srv/**', '/srv/www'],
    ['/', '*.tmp'],
    ['*.tmp', '/a/b.tmp'],
    ['*.tmp', 'x*.tmp'],
    ['cache', '/srv/cache/x'],
    ['/srv/www', '/srv/www/**/log'],
    ['/a?', '/ab'],
  ];
  for (const [wide, narrow] of covering) assert.ok(paths.covers(wide, narrow), `${wide} covers ${narrow}`);
  for (const [wide, narrow] of [
    ['/srv/www', '/srv'],
    ['/srv/www', '/srv/**'],
    ['/srv/*/log', '/srv/**/log'],
    ['/srv', '*.tmp'],
    ['/a?', '/a*'],
    ['/srv/www', '/srv/www2'],
    ['/[ab]', '/a*'],
    ['/*/x', '/**/x'],
  ]) {
    assert.ok(!paths.covers(wide!, narrow!), `${wide} does not cover ${narrow}`);
  }
});

test('whatever they say of random patterns is true of names', () => {
  const random = randomFrom(20261126);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)]!;
  const glob = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(['a', 'b', '*'])).join('');
  const path = () =>
    pick(['/', '/', '']) +
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick([glob(), glob(), 'a?', '[ab]', '**'])).join('/');
  const names = ['a', 'b', 'aa', 'ab', 'ba', 'bb', 'aba', 'aab'];
  const tree = names
    .slice(0, 5)
    .flatMap((one) => names.slice(0, 5).flatMap((two) => [`/${one}`, `/${one}/${two}`, `/${one}/${two}/a`]));
  for (let round = 0; round < 2_000; round++) {
    const [a, b] = [`${glob()}.${glob()}`, `${glob()}.${glob()}`];
    const named = (pattern: string) => {
      const { includes } = parseSelection([pattern], []);
      return new Set(names.flatMap((one) => names.filter((two) => includes(one, two)).map((two) => `${one}.${two}`)));
    };
    holdsTrue(tables, a, b, named(a), named(b));
    const [p, q] = [path(), path()];
    holdsTrue(paths, p, q, below(tree, p), below(tree, q));
  }
});

function holdsTrue(relations: typeof tables, a: string, b: string, ofA: Set<string>, ofB: Set<string>): void {
  if (relations.covers(a, b)) assert.ok(ofB.isSubsetOf(ofA), `${a} covers ${b}`);
  if (!relations.meets(a, b)) assert.ok(ofA.isDisjointFrom(ofB), `${a} is apart from ${b}`);
}

/** What the pattern names, with everything below it. */
function below(tree: readonly string[], pattern: string): Set<string> {
  const { matches } = pathPatterns([pattern]);
  const isNamed = (path: string): boolean =>
    path !== '' &&
    (matches(path, path.slice(path.lastIndexOf('/') + 1)) || isNamed(path.slice(0, path.lastIndexOf('/'))));
  return new Set(tree.filter(isNamed));
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
