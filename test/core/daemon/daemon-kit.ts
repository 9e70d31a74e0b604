import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Catalog, openSqliteCatalog } from '../../../core/catalog/index.ts';
import { apply, diff, observe, type Probes } from '../../../core/change/index.ts';
import type { Clock } from '../../../core/clock.ts';
import { type Drivers, loadConfiguration, planSettings } from '../../../core/config/index.ts';
import { createReconcile, type DaemonContext, runDaemon } from '../../../core/daemon/index.ts';
import { jobKinds, type Operation } from '../../../core/job/index.ts';
import { createLogger } from '../../../core/observe/index.ts';
import { fastClock } from '../../kit/fast-clock.ts';
import { waitFor } from '../../kit/process.ts';
import { tempFolder } from '../../kit/temp.ts';

const refuse = () => Promise.reject(new Error('the daemon opens no driver itself'));

/** Drivers of which only schema and capabilities count here. */
const drivers: Drivers = {
  sources: [
    {
      kind: 'toy',
      schema: { type: 'object', properties: { color: { type: 'string', description: 'A color.', examples: ['red'] } } },
      capabilities: { backupTypes: ['snapshot'], selection: 'none' },
      open: refuse,
    },
  ],
  destinations: [{ kind: 'shelf', placeSettings: [], schema: { type: 'object', properties: {} }, open: refuse }],
};

export interface PlanText {
  readonly schedule?: string;
  readonly extra?: string;
  readonly source?: string;
}

/** YAML with these plans; each is backed up from a source of its own unless it names one. */
export function yaml(plans: Record<string, PlanText>): string {
  const entries = Object.entries(plans);
  const sources = new Set(entries.map(([name, plan]) => plan.source ?? name));
  return [
    'sources:',
    ...[...sources].map((name) => `  ${name}: { driver: toy }`),
    'destinations:',
    '  nas: { driver: shelf, password: "${file:/run/secrets/nas}" }',
    'plans:',
    ...entries.map(([name, { schedule, extra = '', source = name }]) => {
      const when = schedule === undefined ? 'manual: true' : `schedule: "${schedule}"`;
      return `  ${name}: { source: ${source}, destinations: [nas], ${when}${extra && `, ${extra}`} }`;
    }),
    '',
  ].join('\n');
}

/** A plan whose time came two months ago, and which may still start; after `makeDue`. */
export const dueNow = { schedule: '0 0 1 1 *', extra: 'window: 300d' };

/** Applies the configuration, and nothing was scheduled since long ago. */
export async function makeDue(at: Home, plan: string): Promise<void> {
  await applyByHand(at);
  await at.catalog.plans.update(plan, { scheduledThrough: new Date('2025-01-01T00:00:00Z') });
}

/** What `tidemark apply` does. */
export async function applyByHand(at: Home): Promise<void> {
  const { configuration } = await loadFrom(at.configuration)();
  const { catalog, clock } = at;
  const applied = await catalog.state.read();
  const observed = await observe(catalog, { desired: configuration!.resources, applied: applied.resources });
  const input = { applied, observed, now: clock.now() };
  const changeSet = diff({ desired: configuration!, ...input });
  await apply({ changeSet, catalog, probes, clock, signal: new AbortController().signal });
}

export interface Home {
  readonly folder: string;
  readonly configuration: string;
  readonly catalogPath: string;
  readonly clock: Clock;
  /** A connection for the test itself. */
  readonly catalog: Catalog;
}

/** A folder with a configuration and a catalog. */
export async function home(t: TestContext, text: string, clock: Clock = fastClock(10)): Promise<Home> {
  const folder = await tempFolder(t);
  const configuration = join(folder, 'tidemark.yaml');
  await writeFile(configuration, text);
  const catalogPath = join(folder, 'catalog.db');
  const catalog = await openSqliteCatalog(catalogPath, clock);
  t.after(() => catalog[Symbol.asyncDispose]());
  return { folder, configuration, catalogPath, clock, catalog };
}

/** As editors do it: never half a file. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}~`, text);
  await rename(`${path}~`, path);
}

export const probes: Probes = {
  source: async ({ name }) => ({ identity: name }),
  destination: async ({ name }) => ({ identity: name }),
};

export function loadFrom(path: string) {
  return () => loadConfiguration(path, drivers);
}

export interface RunningDaemon {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly log: string[];
  reload(): void;
  /** Rejects as the daemon does. */
  readonly ended: Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export interface DaemonOptions {
  readonly owner?: string;
  readonly backup?: Operation;
  readonly change?: (context: DaemonContext) => Partial<DaemonContext>;
  readonly path?: string;
}

/** Starts a daemon in this process and waits until it is ready. */
export async function startDaemon(t: TestContext, at: Home, options: DaemonOptions = {}): Promise<RunningDaemon> {
  const catalog = await openSqliteCatalog(at.catalogPath, at.clock);
  const log: string[] = [];
  const [drain, stop] = [new AbortController(), new AbortController()];
  let reload = () => {};
  let address: string | undefined;
  const context = contextOf(at, catalog, log, options);
  const ended = runDaemon(
    {
      ...context,
      onReload: (given) => {
        reload = given;
      },
      onListening: (given) => {
        address = given;
      },
      ...options.change?.(context),
    },
    { drain: drain.signal, stop: stop.signal },
  );
  const end = async (...signals: AbortController[]) => {
    for (const signal of signals) signal.abort();
    await ended;
  };
  let over = false;
  const caught = ended
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  t.after(async () => {
    await end(drain, stop).catch(() => {});
    await catalog[Symbol.asyncDispose]();
  });
  await Promise.race([caught, waitFor('the daemon', async () => over || (await fetch(`http://${address}/readyz`)).ok)]);
  return {
    url: `http://${address}`,
    log,
    reload: () => reload(),
    ended,
    drain: () => end(drain),
    stop: () => end(drain, stop),
  };
}

function contextOf(at: Home, catalog: Catalog, log: string[], options: DaemonOptions): DaemonContext {
  const backup = options.backup ?? (async () => ({ result: {}, partial: false }));
  const path = options.path ?? at.configuration;
  return {
    catalog,
    clock: at.clock,
    logger: createLogger({ stream: { write: (line) => log.push(line) }, level: 'debug' }),
    identity: { owner: options.owner ?? 'one', pid: process.pid, host: 'test', version: '0.0.0' },
    fate: () => 'unknown',
    listen: '127.0.0.1:0',
    concurrency: 2,
    keep: { jobsMs: 1e10, eventsMs: 1e10, most: 1000 },
    prune: { timezone: 'UTC', graceMs: 0, maxUnused: 'unlimited' },
    drainMs: 30_000,
    kinds: jobKinds,
    operation: backup,
    plans: ({ resources }) =>
      [...resources.values()]
        .filter(({ collection }) => collection === 'plans')
        .map((plan) => planSettings(plan, resources, drivers)),
    probeSource: async () => {},
    probeDestination: async () => {},
    configurationPath: path,
    reconcile: createReconcile({ catalog, clock: at.clock, probes, load: loadFrom(path) }),
    systemd: { notify: () => {} },
  };
}

export async function eventKinds(catalog: Catalog): Promise<string[]> {
  return (await catalog.events.list()).map(({ kind }) => kind).reverse();
}
