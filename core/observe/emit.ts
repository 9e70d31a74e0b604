import type { Events } from '../catalog/index.ts';
import { type EventKind, eventKinds } from './event-kinds.ts';
import type { Logger } from './logger.ts';

/** Records that something happened. `subject` is an address or `job.<id>`. */
export type Emit = (kind: EventKind, subject: string, text: string) => Promise<void>;

/** Events go to the catalog and, when there is a logger, to the log at their level. */
export function createEmitter(events: Events, logger?: Logger): Emit {
  return async (kind, subject, text) => {
    const { level } = eventKinds[kind];
    logger?.[level === 'warning' ? 'warn' : level]({ event: kind, subject }, text);
    await events.record({ kind, level, subject, text });
  };
}
