import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './kit/process.ts';
import { tempFolder } from './kit/temp.ts';

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'cmd/tidemark');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>;

/** The fenced blocks of a page in this language, with the line they begin at. */
function blocks(page: string, language: string): { text: string; line: number }[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => ({
    text: match[1]!,
    line: text.slice(0, match.index).split('\n').length,
  }));
}

for (const page of pages) {
  for (const { text, line } of blocks(page, 'yaml')) {
    test(`${page}:${line} is a valid configuration`, async (t) => {
      const file = join(await tempFolder(t), 'tidemark.yaml');
      await writeFile(file, text);
      const variables = [...text.matchAll(/\$\{env:(\w+)\}/g)].map((match) => [match[1]!, 'secret']);
      const ran = await run(launcher, ['validate', '-c', file], { env: Object.fromEntries(variables) });
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    });
  }

  for (const { text, line } of blocks(page, 'sh')) {
    test(`${page}:${line} are commands that exist`, async () => {
      for (const command of text.trim().split('\n')) await assertExists(command);
    });
  }
}

test('the README has both kinds of blocks', () => {
  assert.ok(blocks('README.md', 'yaml').length > 0 && blocks('README.md', 'sh').length > 1);
});

async function assertExists(command: string): Promise<void> {
  const [program, verb, script] = command.split(' ');
  if (program === 'npm') {
    assert.ok(verb === 'ci' || (verb === 'run' ? scripts[script!] : scripts[verb!]), command);
    return;
  }
  assert.equal(program, 'tidemark', command);
  const ran = await run(launcher, [verb!, '--help']);
  assert.equal(ran.code, 0, `${command}: ${ran.stderr}`);
}
