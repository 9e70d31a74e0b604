import type { BlobIndex } from '../blob-index.ts';
import { idOf, toHex } from '../format/blob-id.ts';
import { type BlobType, type FinishedPack, PackBuilder } from '../format/pack.ts';
import { Sealer } from '../format/sealer.ts';
import { PackUploads } from '../pack-uploads.ts';
import type { RepositoryParts } from '../parts.ts';

/** Stores single blobs, those that the index lacks. What was added can be relied on after `finish`. */
export class BlobWriting {
  readonly #index: BlobIndex;
  readonly #uploads: PackUploads;
  readonly #builders: Readonly<Record<BlobType, PackBuilder>>;
  readonly #added = new Set<string>();

  constructor({ store, objects, key, index }: RepositoryParts, holder: string, signal: AbortSignal) {
    this.#index = index;
    this.#uploads = new PackUploads(store, objects, signal, holder);
    const sealer = new Sealer(key);
    this.#builders = { data: new PackBuilder('data', sealer), tree: new PackBuilder('tree', sealer) };
  }

  /** Gives its id in hex. */
  async add(type: BlobType, bytes: Buffer): Promise<string> {
    const id = idOf(bytes);
    const hex = toHex(id);
    if (this.#index.has(type, id) || this.#added.has(`${type} ${hex}`)) return hex;
    this.#added.add(`${type} ${hex}`);
    await this.#upload(this.#builders[type].add(id, bytes));
    return hex;
  }

  async finish(): Promise<void> {
    for (const builder of Object.values(this.#builders)) await this.#upload(builder.finish());
    await this.#uploads.finish();
  }

  async #upload(pack: FinishedPack | undefined): Promise<void> {
    if (pack !== undefined) await this.#uploads.add(pack);
  }
}
