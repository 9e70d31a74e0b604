import { createRequire } from 'node:module';
import type { Gauge, Registry } from 'prom-client';
import { metricTable } from './metric-table.ts';
import { type MetricSources, readSamples, type Timetables } from './samples.ts';

/** The body of `/metrics`. */
export interface Metrics {
  readonly contentType: string;
  /** Reads the catalog and gives Prometheus' text format. Errors: those of the catalog. */
  render(): Promise<string>;
}

/** Watching the event loop wakes the process that often; every 10 ms, as is usual, costs an idle daemon most of its time. */
const loopPrecisionMs = 500;

/** Metrics in a registry of their own, with those of the process. */
export function createMetrics(sources: MetricSources): Metrics {
  const { collectDefaultMetrics, Gauge, Registry } = loadClient();
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopPrecisionMs });
  const gauges = new Map<string, Gauge>();
  for (const [name, { help, labels }] of Object.entries(metricTable)) {
    gauges.set(name, new Gauge({ name, help, labelNames: labels, registers: [registry] }));
  }
  const timetables: Timetables = new Map();
  return { contentType: registry.contentType, render: () => render(sources, registry, gauges, timetables) };
}

/** Only by a daemon: it and what it brings are a quarter of all that a verb could load. */
function loadClient(): typeof import('prom-client') {
  return createRequire(import.meta.url)('prom-client');
}

async function render(
  sources: MetricSources,
  registry: Registry,
  gauges: ReadonlyMap<string, Gauge>,
  timetables: Timetables,
): Promise<string> {
  const samples = await readSamples(sources, timetables);
  for (const gauge of gauges.values()) gauge.reset();
  for (const { name, labels, value } of samples) gauges.get(name)?.set(labels, value);
  return registry.metrics();
}
