import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFiles, sourceFile } from './architecture/files.ts';
import * as rules from './architecture/rules.ts';

const root = join(import.meta.dirname, '..');
const product = readFiles(root, ['cmd', 'core', 'drivers'], ['.ts']);
const ours = ['.ci', 'bench', 'build', 'cmd', 'core', 'docs', 'drivers', 'examples', 'schemas', 'test'];
const all = readFiles(root, ours, ['.ts', '.md', '.json', '.yaml', '.sh', '.cjs', '.txt', 'run', 'tidemark']);

/** For every rule, files that keep it and files that break it, with what it then says. */
const samples: Record<
  keyof typeof rules,
  { good: Record<string, string>; bad: Record<string, string>; says: RegExp[] }
> = {
  imports: {
    good: {
      'core/a/x.ts':
        "import { b } from '../b/index.ts'; import './y.ts'; import type { E } from '../error.ts'; // from '../b/in.ts'",
      'core/c/x.ts': 'const text = `import "../../cmd/x.ts"`.length; /* import "../b/z.ts" */',
      'drivers/a/x.ts':
        "import { a } from '../../core/driver/index.ts'; import '../../core/clock.ts'; import 'node:fs';",
      'drivers/index.ts': "export { a } from './a/index.ts';",
      'cmd/main.ts':
        "import { all } from '../drivers/index.ts'; import description from '../package.json' with { type: 'json' };",
    },
    bad: {
      'core/a/x.ts': "import { b } from '../b/inner.ts';\nimport\n{ d } from '../../drivers/index.ts';",
      'core/b/x.ts': "const late = await import('../../cmd/main.ts'); export * from '../../test/kit/temp.ts';",
      'drivers/a/x.ts':
        "import '../b/index.ts'; import { type J } from '../../core/job/index.ts'; import '../../core/units.ts';",
      'cmd/main.ts': "import { mysql } from '../drivers/mysql/index.ts';",
    },
    says: [
      /^core\/a\/x.ts imports core\/b\/inner.ts$/,
      /^core\/a\/x.ts imports drivers\/index.ts$/,
      /^core\/b\/x.ts imports cmd\/main.ts$/,
      /^core\/b\/x.ts imports test\/kit\/temp.ts$/,
      /^drivers\/a\/x.ts imports drivers\/b\/index.ts$/,
      /^drivers\/a\/x.ts imports core\/job\/index.ts$/,
      /^drivers\/a\/x.ts imports core\/units.ts$/,
      /^cmd\/main.ts imports drivers\/mysql\/index.ts$/,
    ],
  },
  noCycles: {
    good: {
      'core/a/x.ts': "import './y.ts'",
      'core/a/y.ts': "import '../b/index.ts'",
      'core/b/index.ts': '',
      'drivers/mysql/x.ts': "import './y.ts'",
      'drivers/mysql/y.ts': "import type { X } from './x.ts'",
    },
    bad: {
      'core/a/x.ts': "import './y.ts'",
      'core/a/y.ts': "import { type X } from './x.ts'",
      'core/b/index.ts': "import '../c/index.ts'",
      'core/c/index.ts': '',
      'core/c/y.ts': "import '../b/index.ts'",
      'core/d/x.ts': "import './y.ts'",
      'core/d/y.ts': "import type { X } from './x.ts'",
    },
    says: [
      /^core\/a\/x.ts -> core\/a\/y.ts -> core\/a\/x.ts$/,
      /^core\/d\/x.ts -> core\/d\/y.ts -> core\/d\/x.ts$/,
      /^rooms: core\/b -> core\/c -> core\/b$/,
    ],
  },
  processOnlyInCmd: {
    good: {
      'core/x.ts': "const s = 'process.env'; // process.env\nprocess.pid;",
      'cmd/x.ts': 'console.log(process.argv)',
    },
    bad: {
      'core/x.ts': 'const s = `${process.env.HOME}`;\nconsole.error(/`/);\n',
      'core/y.ts': "import { env } from 'node:process'",
    },
    says: [/^core\/x.ts:1: process.env$/, /^core\/x.ts:2: console.$/, /^core\/y.ts: node:process$/],
  },
  timeOnlyInClock: {
    good: {
      'core/x.ts': 'new Date(5); new Date( ms ); new DateText();',
      'core/clock.ts': 'new Date(); performance.now()',
    },
    bad: { 'core/x.ts': 'new Date();\nnew Date;\nDate.now();', 'drivers/a/y.ts': 'performance.now()' },
    says: [
      /^core\/x.ts:1: new Date$/,
      /^core\/x.ts:2: new Date$/,
      /^core\/x.ts:3: Date.now$/,
      /^drivers\/a\/y.ts:1: performance.now$/,
    ],
  },
  noSourceUrls: {
    good: { 'core/x.ts': "import.meta.resolve('./x.ts'); createRequire(import.meta.url)('koffi'); // import.meta.url" },
    bad: {
      'core/x.ts':
        "new URL('./x.ts', import.meta.url);\ncreateRequire(import.meta.url)('./x.cjs');\nimport.meta.resolve(name)",
      'core/y.ts': "join(import.meta.dirname, 'x.json')",
    },
    says: [
      /^core\/x.ts:1: import.meta.url$/,
      /^core\/x.ts:2: import.meta.url$/,
      /^core\/x.ts:3: import.meta.resolve$/,
      /^core\/y.ts:1: import.meta.dirname$/,
    ],
  },
  awaitedReturns: {
    good: {
      'core/x.ts':
        'async function f() {\n  await using a = open();\n  return await g(a);\n}\nfunction h() {\n  return g();\n}',
      'core/y.ts': 'async function f() {\n  await using a = open();\n  return a.size;\n}',
    },
    bad: {
      'core/x.ts': 'async function f() {\n  await using a = open();\n  if (a) return g(a);\n  return a.h(() => 1);\n}',
    },
    says: [/^core\/x.ts:3: if \(a\) return g\(a\);$/, /^core\/x.ts:4: return a.h/],
  },
  shortFiles: {
    good: { 'core/x.ts': '\n'.repeat(400) },
    bad: { 'core/x.ts': '\n'.repeat(401) },
    says: [/^core\/x.ts has 401 lines$/],
  },
  tellingNames: {
    good: { 'core/x.ts': 'new SomebodyElsesManager(); class Utility {}' },
    bad: { 'core/x.ts': 'export class JobManager {}', 'core/string-utils.ts': '' },
    says: [/^core\/x.ts:1: class JobManager$/, /^core\/string-utils.ts$/],
  },
};

for (const [name, rule] of Object.entries(rules)) {
  const files = (texts: Record<string, string>) => Object.entries(texts).map(([path, text]) => sourceFile(path, text));

  test(`${name}: the rule tells good from bad`, () => {
    const { good, bad, says } = samples[name as keyof typeof rules];
    assert.deepEqual(rule(files(good)), []);
    const said = rule(files(bad));
    assert.equal(said.length, says.length, said.join('\n'));
    for (const [index, line] of said.entries()) assert.match(line, says[index]!);
  });

  test(`${name}: the project keeps it`, () => {
    assert.ok(product.length > 10);
    assert.deepEqual(rule(product), []);
  });
}

test('nothing names the machines or registries that it was made on', () => {
  const texts = [...all, ...['README.md', 'CHANGELOG.md', 'package.json', 'package-lock.json'].flatMap(rootFile)];
  // Written so that this line does not find itself.
  const foreign = [/\/work[/](main|shared|\.)/, /\bfarm[-]\w/, /\/root[/]\.npm/, /registry[.]npmjs/, /"resolved[":]/];
  const found = texts.flatMap((file) =>
    foreign.filter((word) => word.test(file.text)).map((word) => `${file.path}: ${word}`),
  );
  assert.deepEqual(found, []);
});

test('git tracks no symbolic link, and nothing that .gitignore names', {
  skip: !existsSync(join(root, '.git')),
}, () => {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
  const links = git('ls-files', '--stage').filter((line) => line.startsWith('120000'));
  assert.deepEqual([...links, ...git('ls-files', '--cached', '--ignored', '--exclude-standard')], []);
});

function rootFile(path: string): { path: string; text: string }[] {
  try {
    return [{ path, text: readFileSync(join(root, path), 'utf8') }];
  } catch {
    return [];
  }
}
