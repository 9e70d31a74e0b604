/** Buffers of Node's pool are smaller; they are shared and cannot be given back. */
const smallestBytes = 128 * 1024;

/**
 * Gives the memory of a large buffer back now, instead of whenever this thread collects garbage next: a pipeline of
 * megabyte buffers outruns the collector. Nobody may use the buffer, or a view of it, any more.
 */
export function release(buffer: ArrayBufferLike): void {
  if (buffer.byteLength >= smallestBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
