import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Catalog } from '../core/catalog/index.ts';
import type { DaemonSettings, Drivers, LoadedConfiguration } from '../core/config/index.ts';
import { TidemarkError } from '../core/error.ts';
import type { JobContext } from '../core/job/index.ts';
import type { OperationContext } from '../core/operation/index.ts';
import { type Output, openOutput } from './output.ts';
import type { Globals, Surroundings } from './surroundings.ts';

/** What a verb works with. Everything is made when first asked for, and once; disposing closes what was opened. */
export interface Workspace extends AsyncDisposable {
  readonly surroundings: Surroundings;
  readonly output: Output;
  /** Fires when the person or the service manager wants the verb to end. */
  readonly signal: AbortSignal;
  /** The file or folder of the configuration, absolute. Throws CONFIG_NOT_FOUND. */
  configurationPath(): Promise<string>;
  /** The configuration as it is now; `secrets`: whether each must be readable. */
  configuration(options: { secrets: boolean }): Promise<LoadedConfiguration>;
  /** `daemon:` of the configuration, also when the rest of it has errors. */
  daemonSettings(): Promise<DaemonSettings>;
  drivers(): Promise<Drivers>;
  catalog(): Promise<Catalog>;
  operationContext(): Promise<OperationContext>;
  /** Events of this process go to the catalog only. */
  jobContext(): Promise<JobContext>;
}

/** `catalog`: its address where that is known; otherwise the configuration tells. */
export function compose(surroundings: Surroundings, globals: Globals, given: { catalog?: string } = {}): Workspace {
  const { clock, env, drivers } = surroundings;
  const opened = new AsyncDisposableStack();
  const secret = async (text: string) => {
    const { makeSecretResolver } = await configRoom();
    return makeSecretResolver({ env, credentialsDirectory: env.CREDENTIALS_DIRECTORY })(text);
  };
  const configurationPath = once(() => findConfiguration(surroundings, globals.config));
  const daemonSettings = once(async () => {
    const path = await configurationPath();
    return (await configRoom()).readDaemonSettings(path);
  });
  const catalog = once(async () => {
    const address = given.catalog ?? (await daemonSettings()).catalog;
    const [{ catalogPath }, { openSqliteCatalog }] = await Promise.all([
      configRoom(),
      import('../core/catalog/index.ts'),
    ]);
    return opened.use(await openSqliteCatalog(catalogPath(address), clock));
  });
  return {
    surroundings,
    output: openOutput(surroundings, globals),
    signal: surroundings.ending,
    configurationPath,
    daemonSettings,
    configuration: async ({ secrets }) => {
      const { loadConfiguration } = await configRoom();
      return loadConfiguration(await configurationPath(), await drivers(), secrets ? { secrets: secret } : {});
    },
    drivers,
    catalog,
    operationContext: once(async () => operationContext(surroundings, await catalog(), await drivers(), secret)),
    jobContext: once(async () => jobContext(surroundings, await catalog())),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Rooms are loaded when something of them is wanted: a verb starts as fast as it is small. */
const configRoom = () => import('../core/config/index.ts');

const standardPlaces = ['./tidemark.yaml', '/etc/tidemark'];

async function findConfiguration({ cwd }: Surroundings, given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(cwd, given);
  for (const place of standardPlaces) {
    const path = resolve(cwd, place);
    if (await exists(path)) return path;
  }
  throw new TidemarkError('CONFIG_NOT_FOUND', `there is no configuration: neither ${standardPlaces.join(' nor ')}`, {
    hint: 'Run `tidemark init` to write one here, or name one with `--config PATH`.',
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function operationContext(
  { clock, version, process, keyCost, lockSettleMs, self: { fate } }: Surroundings,
  catalog: Catalog,
  drivers: Drivers,
  secret: OperationContext['secret'],
): OperationContext {
  return { catalog, drivers, secret, clock, fate, version, process, keyCost, lockSettleMs };
}

async function jobContext({ clock, self: { owner, fate } }: Surroundings, catalog: Catalog): Promise<JobContext> {
  const { createEmitter } = await import('../core/observe/index.ts');
  const { jobKinds } = await import('../core/job/index.ts');
  return { catalog, clock, emit: createEmitter(catalog.events), owner, fate, kinds: jobKinds };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
