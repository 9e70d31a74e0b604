import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { processOwner } from '../../cmd/process-owner.ts';
import { main } from '../../cmd/program.ts';
import type { Surroundings } from '../../cmd/surroundings.ts';
import { systemClock } from '../../core/clock.ts';
import { drivers } from '../../drivers/index.ts';
import { type Ran, run } from '../kit/process.ts';
import { quick } from '../kit/quick.ts';
import { tempFolder } from '../kit/temp.ts';

export const launcher = join(import.meta.dirname, '../../cmd/tidemark');

/** A folder with some files to protect, a password, and a configuration that names them. */
export interface Home {
  readonly folder: string;
  readonly data: string;
  readonly repository: string;
  readonly configuration: string;
  /** The command as people run it, in the folder. */
  tidemark(...args: string[]): Promise<Ran>;
  /** The same in this process, which is faster. */
  inside(...args: string[]): Promise<Told>;
  write(yaml: string): Promise<void>;
}

/** What a command line gave in this process. */
export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const password = 'correct horse';

export async function home(
  t: TestContext,
  options: { plan?: string; surroundings?: Partial<Surroundings> } = {},
): Promise<Home> {
  const folder = await tempFolder(t);
  const data = join(folder, 'data');
  await mkdir(join(data, 'deep/er'), { recursive: true });
  await writeFile(join(data, 'one.txt'), 'one\n');
  await writeFile(join(data, 'deep/er/two.bin'), Buffer.alloc(300_000, 'two'));
  await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 });
  const configuration = join(folder, 'tidemark.yaml');
  const write = (yaml: string) => writeFile(configuration, yaml);
  await write(yamlFor(folder, options.plan));
  return {
    folder,
    data,
    repository: join(folder, 'repository'),
    configuration,
    write,
    tidemark: (...args) => run(launcher, args, { cwd: folder }),
    inside: (...args) => inside(args, { cwd: folder, ...options.surroundings }),
  };
}

export function yamlFor(folder: string, plan = 'manual: true'): string {
  return `sources:
  docs: { driver: files, paths: [${join(folder, 'data')}] }
destinations:
  disk: { driver: local, path: ${join(folder, 'repository')}, password: "\${file:${join(folder, 'password')}}" }
plans:
  docs-daily: { source: docs, destinations: [disk], ${plan} }
daemon: { catalog: "sqlite:catalog.db", listen: "127.0.0.1:0" }
`;
}

/** Runs a command line in this process, with everything it may see of the world given here. */
export async function inside(args: readonly string[], changes: Partial<Surroundings> = {}): Promise<Told> {
  const told = { stdout: '', stderr: '' };
  const into = (write: (text: string) => void) => ({ write });
  const surroundings: Surroundings = {
    env: {},
    cwd: '/',
    stdin: Readable.from([]),
    stdout: into((text) => {
      told.stdout += text;
    }),
    stderr: into((text) => {
      told.stderr += text;
    }),
    clock: systemClock,
    version: '0.0.0',
    process: { host: 'testhost', user: 'tester', pid: process.pid, alive: (pid) => pid === process.pid, threads: 2 },
    ...quick,
    self: processOwner('testhost', process.pid),
    drivers: async () => drivers,
    ending: new AbortController().signal,
    endingNow: new AbortController().signal,
    unheard: new AbortController().signal,
    onReload: () => {},
    ...changes,
  };
  const code = await main(args, surroundings);
  return { code, ...told };
}
