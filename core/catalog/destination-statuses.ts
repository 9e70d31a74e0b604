import type { Transaction } from 'kysely';
import type { DestinationStatus, DestinationStatuses, Job } from './catalog.ts';
import { toTime } from './columns.ts';
import { recordEvent } from './events.ts';
import { addJob } from './job-row.ts';
import { fitting } from './lengths.ts';
import type { PartContext } from './part-context.ts';
import type { Tables } from './tables.ts';

export function openDestinationStatuses({ db, clock, newId }: PartContext): DestinationStatuses {
  return {
    list: async () => {
      const rows = await db.selectFrom('destination_status').selectAll().orderBy('destination').execute();
      return rows.map((row) => ({ ...row, scheduledThrough: toTime(row.scheduledThrough) }));
    },
    schedule: ({ from, to, jobs = [], event }) =>
      db.transaction().execute(async (transaction) => {
        if (!(await goOn(transaction, from, to))) return undefined;
        const added: Job[] = [];
        for (const job of jobs) added.push(await addJob(transaction, job, newId(), clock.now().getTime()));
        if (event !== undefined) await recordEvent(transaction, event, newId, clock.now().getTime());
        return added;
      }),
  };
}

/** False when it does not stand at `from` any more. */
async function goOn(
  db: Transaction<Tables>,
  from: DestinationStatus | undefined,
  to: DestinationStatus,
): Promise<boolean> {
  const row = fitting('destination_status', { ...to, scheduledThrough: to.scheduledThrough.getTime() });
  if (from === undefined) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('destination_status')
      .ignore()
      .values(row)
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows === 1n;
  }
  const { numUpdatedRows } = await db
    .updateTable('destination_status')
    .set(row)
    .where('destination', '=', from.destination)
    .where('timetable', '=', from.timetable)
    .where('scheduledThrough', '=', from.scheduledThrough.getTime())
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
