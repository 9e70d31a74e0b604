import { hasCode, TidemarkError } from '../../error.ts';
import { toHex } from './blob-id.ts';

/** What is said of a blob that cannot be had from the pack that should hold it. */
export function damagedBlob(
  id: Uint8Array,
  pack: Uint8Array,
  what: 'damaged' | 'missing' | 'cut short',
  cause?: unknown,
): TidemarkError {
  const text =
    what === 'damaged'
      ? `blob ${toHex(id)} in pack ${toHex(pack)} is damaged`
      : `blob ${toHex(id)} is lost: pack ${toHex(pack)} is ${what}`;
  return new TidemarkError('REPOSITORY_CORRUPT', text, {
    hint: 'Bring the pack below `data/` back from a copy of the repository, or restore another backup: those that do not need it lose nothing. Without a copy, `tidemark repository check` on its destination says which backups it costs, and `tidemark repository repair` makes the rest whole without what is lost.',
    cause,
  });
}

export function unindexedBlob(type: 'data' | 'tree', id: Uint8Array): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `${type} blob ${toHex(id)} is in no index`, {
    hint: 'Run `tidemark repository check` on its destination. If packs are there but not indexed, `tidemark repository repair` finds them again.',
  });
}

/** A tree whose bytes are as its id says, and that makes no sense. */
export function damagedTree(id: Uint8Array, cause: TidemarkError): TidemarkError {
  return new TidemarkError('REPOSITORY_CORRUPT', `tree ${toHex(id)} is not readable: ${cause.message}`, {
    hint: 'Another program wrote it so, or a newer version of one. Run `tidemark repository check`; if it finds nothing, please report it.',
    cause,
  });
}

/** Damage of the repository goes to `otherwise`; anything else, such as a store that is down, is thrown. */
export function ifCorrupt<T>(error: unknown, otherwise: (damage: TidemarkError) => T): T {
  if (!hasCode(error, 'REPOSITORY_CORRUPT')) throw error;
  return otherwise(error);
}
