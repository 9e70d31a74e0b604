import { isUtf8 } from 'node:buffer';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TidemarkError } from '../error.ts';
import { readRegularFile, reasonFor } from '../regular-file.ts';
import { parseYaml, type YamlFile } from './yaml.ts';

export interface ConfigurationFiles {
  /** Where relative paths in the configuration start: the folder itself, or the file's. Absolute. */
  readonly folder: string;
  /** Absolute, in the order in which they are merged. */
  readonly files: readonly string[];
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
    throw new TidemarkError('CONFIG_NOT_FOUND', `${absolute} cannot be read: ${reasonFor(cause)}`, {
      hint: 'Give the path of a configuration file or folder.',
      cause,
    });
  }
  throw new TidemarkError('CONFIG_NOT_FOUND', `${absolute} holds no *.yaml or *.yml file`, {
    hint: 'Put a configuration file there, or give another path.',
  });
}

/** What the files of a configuration may have together. */
const mostBytes = 16 * 1024 * 1024;

/** Reads the files one after the other. One that cannot be read or is not UTF-8 has a diagnostic and no documents. */
export async function readYamlFiles(files: readonly string[]): Promise<readonly YamlFile[]> {
  const read: YamlFile[] = [];
  let leftBytes = mostBytes;
  for (const file of files) {
    const { bytes, unreadable } = await readRegularFile(file, leftBytes);
    leftBytes -= bytes?.length ?? 0;
    if (bytes === undefined) read.push(unreadableFile(file, `the file cannot be read: ${unreadable}`));
    else read.push(await parse(file, bytes));
  }
  return read;
}

async function parse(file: string, bytes: Buffer): Promise<YamlFile> {
  if (!isUtf8(bytes)) return unreadableFile(file, 'the file is not UTF-8 text');
  return parseYaml(file, new TextDecoder().decode(bytes));
}

function unreadableFile(file: string, summary: string): YamlFile {
  const position = { file, line: 1, column: 1 };
  return { documents: [], diagnostics: [{ severity: 'error', code: 'unreadable-file', summary, position }] };
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
