import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type RunOptions, runOk } from '../test/kit/process.ts';
import { measure, type Sample } from './measure.ts';

const launcher = join(import.meta.dirname, '../cmd/tidemark');

/** A configuration of its own with catalog and repository, driven by the command as a user would. */
export interface Tidemark {
  readonly configFile: string;
  readonly repositoryFolder: string;
  /** The command, and its arguments for this configuration. */
  readonly launcher: string;
  argsOf(args: readonly string[]): string[];
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  measure(args: readonly string[]): Promise<Sample>;
  /** Begins again with an empty repository and catalog. */
  reset(): Promise<void>;
}

export interface Resources {
  readonly sources: Record<string, object>;
  readonly plans: Record<string, object>;
  readonly listen?: string;
}

/** The plans write to the destination `box`. Applied and ready to back up. */
export async function openTidemark(folder: string, resources: Resources): Promise<Tidemark> {
  const configFile = join(folder, 'tidemark.yaml');
  const repositoryFolder = join(folder, 'box');
  const common = (args: readonly string[]) => ['-c', configFile, ...args];
  const tidemark: Tidemark = {
    configFile,
    repositoryFolder,
    launcher,
    argsOf: common,
    run: async (args, options) => (await runOk(launcher, common(args), options)).stdout,
    measure: (args) => measure(launcher, common(args)),
    reset: async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(repositoryFolder, { recursive: true });
      await writeFile(join(folder, 'password'), 'bench', { mode: 0o600 });
      await writeFile(configFile, stringify(configuration(folder, resources)));
      await tidemark.run(['apply', '--auto-approve']);
    },
  };
  await tidemark.reset();
  return tidemark;
}

function configuration(folder: string, { sources, plans, listen = '127.0.0.1:0' }: Resources): object {
  const box = { driver: 'local', path: join(folder, 'box'), password: `\${file:${join(folder, 'password')}}` };
  return {
    sources,
    destinations: { box },
    plans,
    daemon: { catalog: `sqlite:${join(folder, 'catalog.db')}`, listen },
  };
}
