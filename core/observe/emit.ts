import type { Events, NewEvent } from '../catalog/index.ts';
import { type EventKind, eventKinds } from './event-kinds.ts';
import type { Logger } from './logger.ts';

/** Records that something happened. `subject` is an address or `job.<id>`. */
export interface Emit {
  (kind: EventKind, subject: string, text: string): Promise<void>;
  /** The event itself, for who records it together with what it tells of; `log` then says it to the log. */
  readonly event: (kind: EventKind, subject: string, text: string) => NewEvent;
  readonly log: (event: NewEvent) => void;
}

/** Events go to the catalog and, when there is a logger, to the log at their level. */
export function createEmitter(events: Events, logger?: Logger): Emit {
  const log = ({ kind, level, subject, text }: NewEvent) =>
    logger?.[level === 'warning' ? 'warn' : level]({ event: kind, subject }, text);
  const emit = async (kind: EventKind, subject: string, text: string) => {
    const event = eventOf(kind, subject, text);
    log(event);
    await events.record(event);
  };
  return Object.assign(emit, { event: eventOf, log });
}

function eventOf(kind: EventKind, subject: string, text: string): NewEvent {
  return { kind, level: eventKinds[kind].level, subject, text };
}
