import type { PlainError } from '../../plain-error.ts';
import type { BlobRun } from '../blob-fetcher.ts';
import type { SharedIndexData } from '../blob-index.ts';
import type { FinishedPack } from '../format/pack.ts';
import type { KeyMaterial } from '../format/sealer.ts';
import type { NewBlobsMemory } from '../new-blobs.ts';
import type { SharedPackBuffers } from './pack-buffers.ts';

/** What a data thread is born with. */
export interface ThreadData {
  readonly thread: number;
  readonly threads: number;
  readonly module: string;
  readonly setup: unknown;
  readonly key: KeyMaterial;
  /** Only for backups: what exists already, what this backup has stored, and the memory of its packs. */
  readonly writing?: {
    readonly index: SharedIndexData;
    readonly newBlobs: NewBlobsMemory;
    readonly packs: SharedPackBuffers;
  };
}

/** The files of a scatter: per file in shared memory how many blobs are to come, and whether a part of it is lost. */
export interface ScatterBatch {
  readonly tasks: readonly unknown[];
  readonly remaining: Int32Array;
  readonly damaged: Int32Array;
}

/** So many blobs of a file that will not come. */
export interface LostBlobs {
  readonly file: number;
  readonly blobs: number;
}

/** A range of a pack and where its blobs go. `file` numbers the tasks of the batch. */
export interface ScatterRange {
  readonly sealed: Uint8Array;
  readonly blobs: readonly ScatterBlob[];
}

export interface ScatterBlob {
  /** Where in the range. */
  readonly at: number;
  readonly length: number;
  readonly plainBytes: number | undefined;
  readonly id: Uint8Array;
  readonly targets: readonly { readonly file: number; readonly offset: number }[];
}

export type ToThread =
  | { readonly type: 'run'; readonly call: number; readonly task: unknown }
  | (ScatterBatch & { readonly type: 'batch'; readonly call: number })
  | { readonly type: 'scatter'; readonly call: number; readonly range: ScatterRange }
  | { readonly type: 'finish'; readonly call: number; readonly files: readonly number[] }
  | { readonly type: 'lost'; readonly call: number; readonly files: readonly LostBlobs[] }
  | { readonly type: 'close'; readonly call: number }
  | { readonly type: 'fetched'; readonly request: number; readonly run?: BlobRun; readonly error?: PlainError };

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly call: number; readonly result?: unknown; readonly error?: PlainError }
  | { readonly type: 'failed'; readonly error: PlainError }
  /** `lent`: the number of the `PackBuffers` that it lies in. */
  | { readonly type: 'pack'; readonly pack: FinishedPack; readonly lent: number | undefined }
  | { readonly type: 'progress'; readonly bytes: number; readonly items: number }
  | { readonly type: 'fetch'; readonly request: number; readonly ids: Uint8Array; readonly place: number };
