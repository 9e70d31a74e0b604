import type { Store } from '../driver/index.ts';
import type { TidemarkError } from '../error.ts';
import type { BlobIndex } from './blob-index.ts';
import type { KeyMaterial } from './format/sealer.ts';
import { Sealer } from './format/sealer.ts';
import { loadIndex } from './index-files.ts';
import type { SealedObjects } from './objects.ts';
import { readPackHeaders } from './pack-headers.ts';

const namedIndexFiles = 5;

/**
 * The index of a repository that may be damaged, for reading only: damaged index files are passed over, and blobs that
 * are then not found are looked for in the packs themselves. `warnings` grows while that goes on.
 */
export class Salvage {
  readonly index: BlobIndex;
  readonly warnings: string[];
  readonly #parts: { readonly store: Store; readonly key: KeyMaterial };
  readonly #signal: AbortSignal;
  #found: Promise<BlobIndex> | undefined;

  private constructor(
    parts: { readonly store: Store; readonly key: KeyMaterial },
    index: BlobIndex,
    damaged: readonly TidemarkError[],
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.index = index;
    this.warnings = damagedIndexWarnings(damaged);
    this.#signal = signal;
  }

  static async open(
    parts: { readonly store: Store; readonly objects: SealedObjects; readonly key: KeyMaterial },
    signal: AbortSignal,
  ): Promise<Salvage> {
    const damaged: TidemarkError[] = [];
    const index = await loadIndex(parts.objects, signal, { onDamaged: (error) => damaged.push(error) });
    return new Salvage(parts, index, damaged, signal);
  }

  /** The blobs of the packs that no sound index names. Looks once, however many ask. */
  findLost(): Promise<BlobIndex> {
    this.#found ??= this.#readHeaders();
    return this.#found;
  }

  async #readHeaders(): Promise<BlobIndex> {
    const { store, key } = this.#parts;
    const { index, packs, unreadable } = await readPackHeaders(store, new Sealer(key), this.index, this.#signal);
    if (packs > 0) {
      const but = unreadable === 0 ? '' : `; of ${unreadable} of them that is damaged too`;
      this.warnings.push(
        `blobs that no index names were looked for in ${packs} packs by the list that ends each pack${but}; \`tidemark repository repair\` makes the index whole`,
      );
    }
    return index;
  }
}

function damagedIndexWarnings(damaged: readonly TidemarkError[]): string[] {
  const warnings = damaged.slice(0, namedIndexFiles).map(({ message }) => `${message} in the repository`);
  const more = damaged.length - warnings.length;
  return more > 0 ? [...warnings, `${more} more index files are damaged`] : warnings;
}
