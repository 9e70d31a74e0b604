import { TidemarkError } from '../error.ts';
import { isCatalogAddress } from './catalog-address.ts';
import { daemonSettings } from './daemon.ts';
import { declare } from './declare.ts';
import { configurationFiles, readYamlFiles } from './files.ts';
import { formats } from './formats.ts';
import type { DaemonSettings } from './types.ts';

/**
 * `daemon:` of the configuration at `path`, also when there are errors elsewhere in it: a misspelt key must not keep
 * anybody from a restore, nor a daemon from starting. What is wrong inside `daemon:` counts as left out, except where
 * the catalog is. Throws CONFIG_NOT_FOUND, and CONFIG_INVALID when the files do not tell where the catalog is.
 */
export async function readDaemonSettings(path: string): Promise<DaemonSettings> {
  const { folder, files } = await configurationFiles(path);
  const parsed = await readYamlFiles(files);
  const { declared } = declare(parsed.flatMap((file) => file.documents));
  const value = declared.get('daemon')?.value;
  const { catalog, listen, concurrency, keep, prune } =
    typeof value === 'object' ? (value as Record<string, unknown>) : {};
  const isKnown = typeof catalog === 'string' && isCatalogAddress(catalog);
  const isDefault = catalog === undefined && parsed.every((file) => file.diagnostics.length === 0);
  if (!isKnown && !isDefault) throw unknownCatalog(path);
  const usable = {
    catalog,
    listen: typeof listen === 'string' ? listen : undefined,
    concurrency: Number.isInteger(concurrency) && Number(concurrency) > 0 ? concurrency : undefined,
    keep: usableKeep(keep),
    prune: usablePrune(prune),
  };
  return daemonSettings(usable, folder);
}

/** What cannot be read keeps the default: a slip of the pen must not make the catalog forget. */
function usableKeep(keep: unknown): Readonly<Record<string, unknown>> {
  const { jobs, events, most } = typeof keep === 'object' ? ((keep ?? {}) as Record<string, unknown>) : {};
  return {
    jobs: isDuration(jobs) ? jobs : undefined,
    events: isDuration(events) ? events : undefined,
    most: Number.isInteger(most) && Number(most) >= 1000 ? most : undefined,
  };
}

/** Of what cannot be read nobody knows what was meant: then the daemon deletes nothing by itself. */
function usablePrune(prune: unknown): Readonly<Record<string, unknown>> {
  if (prune === undefined) return {};
  const { schedule, timezone, manual, grace, maxUnused, ...unknown } = (
    typeof prune === 'object' ? (prune ?? {}) : { prune }
  ) as Record<string, unknown>;
  const usable =
    Object.keys(unknown).length === 0 &&
    Object.entries({ cron: schedule, timezone, duration: grace, 'max-unused': maxUnused }).every(
      ([format, text]) => text === undefined || (typeof text === 'string' && formats[format]!.accepts(text)),
    ) &&
    (manual === undefined || (manual === true && schedule === undefined));
  return usable ? { schedule, timezone, manual, grace, maxUnused } : { manual: true };
}

function isDuration(value: unknown): boolean {
  return typeof value === 'string' && formats.duration!.accepts(value);
}

function unknownCatalog(path: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `${path} does not tell where the catalog is`, {
    hint: 'Run `tidemark validate`, which says what is wrong with it.',
  });
}
