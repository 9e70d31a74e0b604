import { parseDuration } from '../units.ts';
import { absoluteCatalogAddress } from './catalog-address.ts';
import type { DaemonSettings, KeepSettings } from './types.ts';

/** `daemon:` as written, with defaults; a relative path of the catalog starts at `folder`. */
export function daemonSettings(spec: Readonly<Record<string, unknown>>, folder: string): DaemonSettings {
  const { catalog = 'sqlite:/var/lib/tidemark/catalog.db', listen = '127.0.0.1:9631', concurrency = 2 } = spec;
  return {
    catalog: absoluteCatalogAddress(String(catalog), folder),
    listen: String(listen),
    concurrency: Number(concurrency),
    keep: keepSettings((spec.keep ?? {}) as Readonly<Record<string, unknown>>),
  };
}

function keepSettings({
  jobs = '90d',
  events = '90d',
  most = 100_000,
}: Readonly<Record<string, unknown>>): KeepSettings {
  return { jobsMs: parseDuration(String(jobs)), eventsMs: parseDuration(String(events)), most: Number(most) };
}
