import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { readSourceText, type SourceText } from './source-text.ts';

export interface SourceFile extends SourceText {
  /** From the root of the project, as in `core/config/load.ts`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** A path from the root of the project, or the name of a package. */
  readonly target: string;
  /** Gone when the code runs. */
  readonly typeOnly: boolean;
}

/** Every file below the named folders of the project whose name ends so. */
export function readFiles(root: string, folders: readonly string[], ends: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ends.some((end) => entry.name.endsWith(end)))
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !path.split('/').includes('.data')) // what benchmarks made
      .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8'))),
  );
}

export function sourceFile(path: string, text: string): SourceFile {
  const source = readSourceText(text);
  const imports = [...source.withoutComments.matchAll(importStatement)]
    .filter((match) => source.code[match.index] !== ' ') // what looks like one inside a string is none
    .map((match) => ({ target: targetOf(path, match[2]!), typeOnly: match[1] !== undefined }));
  return { ...source, path, text, imports };
}

function targetOf(path: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier;
}

const importStatement = /\b(?:(?:import|export)(\s+type\b)?[^'";]*?\bfrom\s*|import\s*\(?\s*)['"]([^'"\n]+)['"]/g;
