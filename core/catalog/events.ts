import type { Kysely } from 'kysely';
import type { EventLevel, EventRecord, Events, NewEvent } from './catalog.ts';
import { toTime } from './columns.ts';
import { forgetEvents } from './forget.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { EventRow, Tables } from './tables.ts';

export function openEvents({ db, clock, newId }: PartContext): Events {
  return {
    record: (event) => recordEvent(db, event, newId, clock.now().getTime()),
    list: (filter = {}) => list(db, filter),
    forget: (limits) => forgetEvents(db, limits),
  };
}

/** Of two that come at once from two processes each may get a row; none is lost. */
export async function recordEvent(
  db: Kysely<Tables>,
  event: NewEvent,
  newId: () => string,
  now: number,
): Promise<EventRecord> {
  for (;;) {
    const newest = await newestLike(db, event);
    if (newest?.level !== event.level || newest.text !== event.text) return add(db, event, newId(), now);
    const again = { count: newest.count + 1, lastAt: Math.max(now, newest.lastAt) };
    const { numUpdatedRows } = await db
      .updateTable('event')
      .set(again)
      .where('id', '=', newest.id)
      .where('count', '=', newest.count)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return toEvent({ ...newest, ...again });
  }
}

async function add(db: Kysely<Tables>, event: NewEvent, id: string, now: number): Promise<EventRecord> {
  const { kind, level, subject, text } = event;
  const row: EventRow = { id, kind, level, subject, text, count: 1, firstAt: now, lastAt: now };
  await db.insertInto('event').values(fitting('event', row)).execute();
  return toEvent(row);
}

function newestLike(db: Kysely<Tables>, { kind, subject }: NewEvent): Promise<EventRow | undefined> {
  return db
    .selectFrom('event')
    .selectAll()
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .orderBy('lastAt', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

const defaultLimit = 100;

async function list(
  db: Kysely<Tables>,
  filter: NonNullable<Parameters<Events['list']>[0]>,
): Promise<readonly EventRecord[]> {
  let query = db.selectFrom('event').selectAll().orderBy('lastAt', 'desc').orderBy('id', 'desc');
  for (const field of ['kind', 'level', 'subject'] as const) {
    const value = filter[field];
    if (value !== undefined) query = query.where(field, '=', value);
  }
  if (filter.since !== undefined) query = query.where('lastAt', '>=', filter.since.getTime());
  const rows = await query.limit(filter.limit ?? defaultLimit).execute();
  return rows.map(toEvent);
}

function toEvent(row: EventRow): EventRecord {
  return { ...row, level: row.level as EventLevel, firstAt: toTime(row.firstAt), lastAt: toTime(row.lastAt) };
}
