import type { ObjectInfo, Store } from '../driver/index.ts';
import { hasCode } from '../error.ts';
import { BlobIndex } from './blob-index.ts';
import { fromHex, toHex } from './format/blob-id.ts';
import { ifCorrupt } from './format/damage.ts';
import { decodeHeader, lengthBytes, type PackEntry } from './format/pack.ts';
import { type Sealer, sealBytes } from './format/sealer.ts';
import { listPacks, type PackFile } from './list-packs.ts';

export interface PackHeaders {
  readonly index: BlobIndex;
  readonly packs: number;
  /** Packs whose header is damaged as well. */
  readonly unreadable: number;
}

const readAtOnce = 8;
/** Most headers fit: some hundred blobs. */
const firstReadBytes = 32 * 1024;

/** What the packs that `indexed` does not name say of themselves: every pack ends with a list of its blobs. */
export async function readPackHeaders(
  store: Store,
  sealer: Sealer,
  indexed: BlobIndex,
  signal: AbortSignal,
): Promise<PackHeaders> {
  const known = new Set([...indexed.packs()].map(toHex));
  const index = new BlobIndex();
  let [packs, unreadable] = [0, 0];
  const read = async (pack: PackFile) => {
    const entries = await readHeader(store, sealer, pack, signal);
    if (entries === undefined) unreadable += 1;
    else index.addPack(fromHex(pack.id), entries);
    packs += 1;
  };
  const reading = new Set<Promise<void>>();
  for await (const pack of listPacks(store, signal)) {
    if (known.has(pack.id)) continue;
    const one = read(pack).finally(() => reading.delete(one));
    one.catch(() => {}); // it is awaited below
    reading.add(one);
    if (reading.size >= readAtOnce) await Promise.race(reading);
  }
  await Promise.all(reading);
  return { index, packs, unreadable };
}

async function readHeader(
  store: Store,
  sealer: Sealer,
  { name, sizeBytes }: ObjectInfo,
  signal: AbortSignal,
): Promise<PackEntry[] | undefined> {
  try {
    const end = await readEnd(store, name, sizeBytes, firstReadBytes, signal);
    if (end.length < lengthBytes + sealBytes) return undefined;
    const headerBytes = end.readUInt32LE(end.length - lengthBytes);
    if (headerBytes + lengthBytes > sizeBytes) return undefined;
    const whole = await readEnd(store, name, sizeBytes, headerBytes + lengthBytes, signal, end);
    return decodeHeader(sealer.open(whole.subarray(0, headerBytes)));
  } catch (error) {
    if (hasCode(error, 'OBJECT_NOT_FOUND')) return undefined;
    return ifCorrupt(error, () => undefined);
  }
}

/** The last `length` bytes; `known` are some that were read already. */
async function readEnd(
  store: Store,
  name: string,
  sizeBytes: number,
  length: number,
  signal: AbortSignal,
  known?: Buffer,
): Promise<Buffer> {
  if (known !== undefined && known.length >= length) return known.subarray(known.length - length);
  const offset = Math.max(0, sizeBytes - length);
  return Buffer.from(await store.get(name, { offset, length: sizeBytes - offset }, signal));
}
