import type { Store } from '../../driver/index.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../../error.ts';
import { formatBytes } from '../../units.ts';
import { packName } from '../pack-name.ts';
import type { RepairPlan } from './plan.ts';

/** Folders and manifest of a backup that is written anew; mostly much less. */
const perSnapshotBytes = 256 * 1024;

/**
 * What a repair needs at most while it runs. Everything is written before what it takes the place of is deleted: what is
 * saved of damaged packs, index files, and each object that is moved, which is there twice for a moment.
 */
export async function neededBytes(
  store: Store,
  plan: Omit<RepairPlan, 'needsBytes' | 'freeBytes'>,
  signal: AbortSignal,
): Promise<number> {
  const sizeOf = async (name: string) => (await sizeIn(store, name, signal)) ?? 0;
  const salvaged: number[] = [];
  for (const { id, action } of plan.packs) if (action === 'salvage') salvaged.push(await sizeOf(packName(id)));
  let largestMoved = Math.max(0, ...salvaged);
  for (const { name } of plan.misplaced) largestMoved = Math.max(largestMoved, await sizeOf(name));
  let indexBytes = 0;
  if (plan.packs.length + plan.indexFiles.length > 0)
    for await (const { sizeBytes } of store.list('index/', signal)) indexBytes += sizeBytes;
  const rewritten = plan.snapshots.filter(({ action }) => action === 'rewrite').length;
  return salvaged.reduce((sum, bytes) => sum + bytes, 0) + largestMoved + indexBytes + rewritten * perSnapshotBytes;
}

async function sizeIn(store: Store, name: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await store.head(name, signal)).sizeBytes;
  } catch (error) {
    if (!hasCode(error, 'OBJECT_NOT_FOUND')) throw error;
    return undefined;
  }
}

/** Throws DESTINATION_FULL before anything is done. */
export async function rejectFull(store: Store, { needsBytes }: RepairPlan, signal: AbortSignal): Promise<void> {
  const freeBytes = await store.freeBytes?.(signal);
  if (freeBytes === undefined || freeBytes >= needsBytes) return;
  throw new TidemarkError(
    'DESTINATION_FULL',
    `the repair may need ${formatBytes(needsBytes)} of space, and ${formatBytes(freeBytes)} are free; nothing was done`,
    {
      hint: 'Free or add space there, and run the repair again. A prune frees nothing of a repository that is damaged.',
    },
  );
}

/** What a repair that ended for want of space has come to. */
export function halfWay(thrown: unknown, done: string): unknown {
  if (!hasCode(thrown, 'DESTINATION_FULL')) return thrown;
  const { message, hint, cause } = asTidemarkError(thrown);
  return new TidemarkError(
    'DESTINATION_FULL',
    `${message}; the repair ended half-way, ${done}: all that could be read before can be read still, and what was moved is in \`damaged/\``,
    { hint: `${hint ?? 'Free or add space there.'} Another \`tidemark repository repair\` does the rest.`, cause },
  );
}
