import { type Census, sameCensus, takeCensus } from '../inventory/census.ts';
import { type Inventory, readInventory } from '../inventory/inventory.ts';
import { type ConsistentPoint, type SnapshotPlace, startConsistentSnapshots } from './consistent-point.ts';
import { whileNothingMoves } from './ddl-pause.ts';
import type { Dump } from './work.ts';

/** The backup's moment, and what was there. */
export interface Started {
  readonly point: ConsistentPoint;
  /** Of just before the snapshots: what it has was there at their moment, if under another name. */
  readonly before: Census;
  /** Of just after the snapshots: what it has may have been there at their moment. */
  readonly after: Census;
  /** What the look after the snapshots has, described. */
  readonly inventory: Inventory;
}

/**
 * Starts the snapshots at a moment around which nothing came, went or moved, where such a moment is found; on a busy
 * server with what there is. What moved is then in one of the looks at least, and is looked for until it is found.
 */
export async function startSnapshot(work: Dump): Promise<Started> {
  const { control, selection, dictionary, request } = work;
  request.progress.step('starting the snapshot');
  const look = () => takeCensus(control, selection, dictionary);
  for (let round = 1; ; round++) {
    const before = round < rounds ? await look() : await whileNothingMoves(work, look);
    const point = await startAt(work);
    const after = await look();
    const isCalm = sameCensus(before, after) && !after.moving;
    if (!isCalm && round < rounds) continue;
    const inventory = isCalm ? await readInventory(control, selection, after) : undefined;
    if (inventory !== undefined && isComplete(inventory)) return { point, before, after, inventory };
    if (round < rounds) continue;
    const calm = await whileNothingMoves(work, look);
    return { point, before, after: calm, inventory: await readInventory(control, selection, calm) };
  }
}

const rounds = 4;

/** What was being renamed is described not at all, or without its columns. */
function isComplete({ undescribed, databases }: Inventory): boolean {
  return undescribed.length === 0 && databases.every((one) => one.tables.every((table) => table.columns.length > 0));
}

/** Starts the snapshots of all threads that take part, at one moment. */
export function startAt(work: Dump): Promise<ConsistentPoint> {
  const { control, server, request, subject, clock } = work;
  const step = (text: string) => request.progress.step(text);
  const startAll = () => startOnAll(work);
  return startConsistentSnapshots({ control, server, startAll, clock, signal: request.signal, subject, step });
}

async function startOnAll({ threads, count, server }: Dump): Promise<SnapshotPlace[]> {
  const task = { do: 'snapshot', replica: server.mayReplicate } as const;
  const started = Array.from({ length: count }, (_, at) => threads.runOn(at, task));
  return (await Promise.all(started)).map((one) => one.place!);
}
