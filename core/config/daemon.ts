import { parseDuration } from '../units.ts';
import { absoluteCatalogAddress } from './catalog-address.ts';
import { parseMaxUnused } from './max-unused.ts';
import type { DaemonSettings, KeepSettings, PruneSettings } from './types.ts';

/** `daemon:` as written, with defaults; a relative path of the catalog starts at `folder`. */
export function daemonSettings(spec: Readonly<Record<string, unknown>>, folder: string): DaemonSettings {
  const { catalog = 'sqlite:/var/lib/tidemark/catalog.db', listen = '127.0.0.1:9631', concurrency = 2 } = spec;
  return {
    catalog: absoluteCatalogAddress(String(catalog), folder),
    listen: String(listen),
    concurrency: Number(concurrency),
    keep: keepSettings((spec.keep ?? {}) as Readonly<Record<string, unknown>>),
    prune: pruneSettings((spec.prune ?? {}) as Readonly<Record<string, unknown>>),
  };
}

function pruneSettings({
  schedule = '0 3 * * *',
  timezone = 'UTC',
  manual = false,
  grace = '20h',
  maxUnused = '5%',
}: Readonly<Record<string, unknown>>): PruneSettings {
  return {
    ...(manual === true ? {} : { schedule: String(schedule) }),
    timezone: String(timezone),
    graceMs: parseDuration(String(grace)),
    maxUnused: parseMaxUnused(String(maxUnused)) ?? { percent: 5 },
  };
}

function keepSettings({
  jobs = '90d',
  events = '90d',
  most = 100_000,
}: Readonly<Record<string, unknown>>): KeepSettings {
  return { jobsMs: parseDuration(String(jobs)), eventsMs: parseDuration(String(events)), most: Number(most) };
}
