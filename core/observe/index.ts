/** The door of this room: what is told to logs, events and metrics. */
export { createEmitter, type Emit } from './emit.ts';
export { type EventKind, eventKinds, eventReference } from './event-kinds.ts';
export { createLogger, type Logger, type LogLevel, logLevels } from './logger.ts';
export { metricReference, metricTable } from './metric-table.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type { MetricSources } from './samples.ts';
