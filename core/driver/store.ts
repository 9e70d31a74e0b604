import type { DriverContext, DriverProblem, JsonSchema } from './driver.ts';

/** A kind of destination, such as a folder or a bucket. One exported value per technology, listed in `drivers/index.ts`. */
export interface DestinationDriver {
  /** The YAML's `driver:`. */
  readonly kind: string;
  /** JSON Schema (object) of the settings that are the driver's own; `driver`, `password`, `labels` are core's. */
  readonly schema: JsonSchema;
  /** The settings that say where it is. When one changes, what is stored stays at the old place. */
  readonly placeSettings: readonly string[];
  /** Opens without creating anything. Throws DESTINATION_UNREACHABLE or DESTINATION_DENIED. */
  open(settings: Readonly<Record<string, unknown>>, context: DriverContext): Promise<Store>;
}

/**
 * Where objects live. Names are relative, `/` between parts, such as `data/3f/3fa1…`. Safe for concurrent use.
 * Retry, throttle, recording and faults are decorators of this same interface; an implementation tries once.
 *
 * Errors: OBJECT_NOT_FOUND and OBJECT_EXISTS where named below; DESTINATION_UNREACHABLE, DESTINATION_DENIED and
 * DESTINATION_FULL from any method. Every method rejects promptly with the signal's reason when the signal fires.
 */
export interface Store extends AsyncDisposable {
  /**
   * Stores a whole object atomically and durably: visible under its name only when complete, on stable storage when
   * this resolves. Replaces an existing object unless `ifAbsent`, which throws OBJECT_EXISTS. Once this has resolved,
   * `bytes` may be gone or others; they may lie in shared memory.
   */
  put(name: string, bytes: Uint8Array, options?: { ifAbsent?: boolean; signal?: AbortSignal }): Promise<void>;
  /**
   * The object, or the part of it that lies in `range`. The result is a buffer of its own that may be transferred to a
   * thread. A range that ends past the object gives what is there; one that starts past it gives no bytes.
   * Throws OBJECT_NOT_FOUND, and REPOSITORY_CORRUPT when this object cannot be read while others can: a bad sector.
   *
   * A store that can put the bytes where the caller wants them asks `room` for memory, once, and gives a view of it that
   * ends where they do. After the signal has fired it may still write there; after any other rejection it does not.
   */
  get<Memory extends ArrayBufferLike = ArrayBuffer>(
    name: string,
    range?: ByteRange,
    signal?: AbortSignal,
    room?: ReadRoom<Memory>,
  ): Promise<Uint8Array<Memory | ArrayBuffer>>;
  /** Throws OBJECT_NOT_FOUND. */
  head(name: string, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Objects whose name starts with `prefix` (a folder path that ends in `/`, or empty), in no promised order. Unfinished
   * objects are never listed. A prefix without objects lists nothing.
   */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>;
  /** Deletes; a name that is not there counts as deleted. */
  delete(names: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * Gives an object another name, durably, without reading it: a disk may refuse some of its bytes. Throws OBJECT_NOT_FOUND,
   * and OBJECT_EXISTS when the new name is taken, which never loses what it stands for. Cut off, it may leave both names.
   */
  move(name: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Looks whether the store can be used, and says what is wrong with it otherwise; writes and removes a small test object. */
  probe(signal?: AbortSignal): Promise<readonly DriverProblem[]>;
  /** How much can still be stored; undefined, or no such method, where nobody can tell. */
  freeBytes?(signal?: AbortSignal): Promise<number | undefined>;
}

/** Memory for this many bytes, exactly. What was in it before may be there still. */
export type ReadRoom<Memory extends ArrayBufferLike = ArrayBufferLike> = (bytes: number) => Uint8Array<Memory>;

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ObjectInfo {
  readonly name: string;
  readonly sizeBytes: number;
}
