import { resolve } from 'node:path';
import type { DaemonSettings } from './types.ts';

/** `daemon:` as written, with defaults; a relative path of the catalog starts at `folder`. */
export function daemonSettings(spec: Readonly<Record<string, unknown>>, folder: string): DaemonSettings {
  const { catalog = 'sqlite:/var/lib/tidemark/catalog.db', listen = '127.0.0.1:9631', concurrency = 2 } = spec;
  const path = String(catalog).slice('sqlite:'.length);
  return { catalog: `sqlite:${resolve(folder, path)}`, listen: String(listen), concurrency: Number(concurrency) };
}
