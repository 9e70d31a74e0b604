import type { Run, Store } from '../driver/index.ts';
import type { BlobIndex } from './blob-index.ts';
import type { KeyMaterial } from './format/sealer.ts';
import type { SealedObjects } from './objects.ts';

/** What a backup or restore works on. */
export interface RepositoryParts {
  readonly store: Store;
  readonly objects: SealedObjects;
  readonly key: KeyMaterial;
  readonly index: BlobIndex;
}

/** How a backup or restore uses the machine. */
export interface WorkOptions extends Run {
  /** Data threads. */
  readonly threads: number;
}
