import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';
import { TidemarkError } from '../error.ts';

export interface ConfigurationFiles {
  /** Where relative paths in the configuration start: the folder itself, or the file's. Absolute. */
  readonly folder: string;
  /** Absolute, in the order in which they are merged. */
  readonly files: readonly string[];
}

export interface FileText {
  readonly file: string;
  readonly text: string;
  readonly problem?: Diagnostic;
}

/**
 * The files of a configuration: the file itself, or the `*.yaml` and `*.yml` right in a folder, by name. Names that
 * begin with a dot are editors' business. Throws CONFIG_NOT_FOUND, also for a folder without any: an empty mount must
 * not look like a wish to remove everything.
 */
export async function configurationFiles(path: string): Promise<ConfigurationFiles> {
  const absolute = resolve(path);
  try {
    if (!(await stat(absolute)).isDirectory()) return { folder: dirname(absolute), files: [absolute] };
    const files = await yamlFilesIn(absolute);
    if (files.length > 0) return { folder: absolute, files };
  } catch (cause) {
    throw new TidemarkError('CONFIG_NOT_FOUND', `${absolute} cannot be read: ${reason(cause)}`, {
      hint: 'Give the path of a configuration file or folder.',
      cause,
    });
  }
  throw new TidemarkError('CONFIG_NOT_FOUND', `${absolute} holds no *.yaml or *.yml file`, {
    hint: 'Put a configuration file there, or give another path.',
  });
}

/** The text of a file; a file that cannot be read or is not UTF-8 has a problem and no text. */
export async function readText(file: string): Promise<FileText> {
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)) };
  } catch (error) {
    const summary =
      error instanceof TypeError ? 'the file is not UTF-8 text' : `the file cannot be read: ${reason(error)}`;
    return {
      file,
      text: '',
      problem: { severity: 'error', code: 'unreadable-file', summary, position: startOf(file) },
    };
  }
}

async function yamlFilesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^[^.].*\.ya?ml$/i.test(name)).sort();
  const files: string[] = [];
  for (const name of names) {
    const isFolder = await stat(join(folder, name)).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (!isFolder) files.push(join(folder, name));
  }
  return files;
}

function startOf(file: string) {
  return { file, line: 1, column: 1 };
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES') return 'permission denied';
  return code ?? String(error);
}
