import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licences of the packages whose files are in the bundle, as they ask for: with every copy. Throws where one has none. */
export function noticesOf(root: string, files: Iterable<string>): string {
  const folders = new Set([...files].flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  return [head, ...[...folders].sort().map((folder) => noticeOf(join(root, folder)))].join(`\n${'-'.repeat(80)}\n\n`);
}

const head = 'Tidemark holds code of these packages. Each stands under its own licence, which follows.\n';

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)(\.(md|txt))?$/i.test(file));
  if (texts.length === 0) throw new Error(`${folder} has no file with its licence`);
  const bodies = texts.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license})\n\n${bodies.join('\n\n')}\n`;
}
