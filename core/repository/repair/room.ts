import type { Store } from '../../driver/index.ts';
import { asTidemarkError, hasCode, TidemarkError } from '../../error.ts';
import { formatBytes } from '../../units.ts';
import { packName } from '../pack-name.ts';
import type { RepairPlan } from './plan.ts';

/** A guess: of a backup that is written anew its manifest, and the folders above what is lost. Mostly it is much less. */
const perSnapshotBytes = 256 * 1024;

/**
 * About what a repair needs while it runs: what is saved of damaged packs, index files, both of which are written before
 * what they take the place of goes, and a guess for each snapshot that is written anew. A backup whose damage is in folders
 * of many thousand entries needs more; then the repair may end half-way, which loses nothing: see `halfWay`.
 */
export async function neededBytes(
  store: Store,
  plan: Omit<RepairPlan, 'needsBytes' | 'freeBytes'>,
  signal: AbortSignal,
): Promise<number> {
  const sizeOf = async (name: string) => (await sizeIn(store, name, signal)) ?? 0;
  let salvaged = 0;
  for (const { id, action } of plan.packs) if (action === 'salvage') salvaged += await sizeOf(packName(id));
  let indexBytes = 0;
  if (plan.packs.length + plan.indexFiles.length > 0)
    for await (const { sizeBytes } of store.list('index/', signal)) indexBytes += sizeBytes;
  const rewritten = plan.snapshots.filter(({ action }) => action === 'rewrite').length;
  return salvaged + indexBytes + rewritten * perSnapshotBytes;
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
