import type { EventLevel, EventRecord } from '../../core/catalog/index.ts';
import { brief, type Look, type Paint, paint, printable } from './look.ts';
import { table } from './table.ts';
import { formatTime } from './words.ts';

export function eventsTable(events: readonly EventRecord[], look: Look): string {
  return table(
    events,
    [
      { title: 'LAST', cell: ({ lastAt }) => formatTime(lastAt) },
      { title: 'LEVEL', cell: ({ level }) => paint(look, colours[level], level) },
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'SUBJECT', cell: ({ subject }) => printable(subject) },
      { title: 'COUNT', minor: true, right: true, cell: ({ count }) => (count > 1 ? String(count) : undefined) },
      { title: 'TEXT', cell: ({ text }) => brief(text) },
    ],
    look,
  );
}

const colours: Readonly<Record<EventLevel, Paint>> = { info: 'dim', warning: 'yellow', error: 'red' };
