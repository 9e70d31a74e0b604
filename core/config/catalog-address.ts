import { TidemarkError } from '../error.ts';
import { daemonSettings } from './daemon.ts';
import { declare } from './declare.ts';
import { configurationFiles, readText } from './files.ts';
import { parseYaml } from './yaml.ts';

/**
 * `daemon.catalog` of the configuration at `path`, also when there are errors elsewhere in it: a misspelt key must not
 * keep anybody from a restore. Throws CONFIG_NOT_FOUND, and CONFIG_INVALID when the files do not tell.
 */
export async function catalogAddress(path: string): Promise<string> {
  const { folder, files } = await configurationFiles(path);
  const parsed = await Promise.all(files.map(parse));
  const { declared } = declare(parsed.flatMap((file) => file.documents));
  const daemon = declared.get('daemon')?.value;
  const catalog = typeof daemon === 'object' && daemon !== null && 'catalog' in daemon ? daemon.catalog : undefined;
  const isKnown = typeof catalog === 'string' && catalog.startsWith('sqlite:');
  const isDefault = catalog === undefined && parsed.every((file) => file.diagnostics.length === 0);
  if (isKnown || isDefault) return daemonSettings({ catalog }, folder).catalog;
  throw new TidemarkError('CONFIG_INVALID', `${path} does not tell where the catalog is`, {
    hint: 'Run `tidemark validate`, which says what is wrong with it.',
  });
}

async function parse(file: string) {
  const { text, problem } = await readText(file);
  return problem === undefined ? parseYaml(file, text) : { documents: [], diagnostics: [problem] };
}
