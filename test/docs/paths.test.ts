import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withQuotes } from '../../docs/quotes.ts';

const root = join(import.meta.dirname, '../..');

for (const page of ['CONTRIBUTING.md', 'docs/adding-a-driver.md']) {
  test(`${page} names files that exist`, () => {
    const text = readFileSync(join(root, page), 'utf8');
    const paths = [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/?)`/g)]
      .map(([, path]) => path!)
      .filter((path) => /^(bench|cmd|core|docs|drivers|examples|schemas|test)\/|\.md$/.test(path));
    assert.ok(paths.length > 10);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });
}

test('a quote is the whole declaration with its comment, and one that is gone is an error', () => {
  const file =
    '/** Not this. */\nconst a = 1;\n\n/**\n * Says b.\n */\nexport async function b(\n  c: string,\n): Promise<void> {\n  if (a) {\n  }\n}\n';
  const page = 'before\n<!-- quote x.ts b -->\nold\n<!-- end of quote -->\nafter';
  const expected =
    'before\n<!-- quote x.ts b -->\n\n```ts\n// x.ts\n/**\n * Says b.\n */\nexport async function b(\n  c: string,\n): Promise<void> {\n  if (a) {\n  }\n}\n```\n\n<!-- end of quote -->\nafter';
  assert.equal(
    withQuotes(page, () => file),
    expected,
  );
  assert.equal(
    withQuotes(expected, () => file),
    expected,
  );
  assert.match(
    withQuotes(page.replace(' b ', ' a '), () => file),
    /Not this\. \*\/\nconst a = 1;\n```/,
  );
  assert.throws(() => withQuotes(page.replace(' b ', ' c '), () => file), /x\.ts declares no c/);
});
