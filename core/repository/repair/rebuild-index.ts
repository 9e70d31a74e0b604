import { openHeader, opens } from '../check/pack-thread.ts';
import { readIndexFiles } from '../check/read-index.ts';
import { fromHex, toHex } from '../format/blob-id.ts';
import { decodeHeader, type FinishedPack, PackBuilder, type PackEntry } from '../format/pack.ts';
import { Sealer } from '../format/sealer.ts';
import { type IndexDocument, readIndexDocument } from '../index-document.ts';
import { writeIndex } from '../index-files.ts';
import { packName } from '../pack-name.ts';
import { PackUploads } from '../pack-uploads.ts';
import type { RepositoryParts } from '../parts.ts';
import { readAll, setAside } from '../set-aside.ts';
import { readsOtherwise } from './fingerprint.ts';
import type { PackAction, RepairPlan } from './plan.ts';

type Parts = Pick<RepositoryParts, 'store' | 'objects' | 'key'>;

/**
 * Makes the index name what is there, and nothing else. In this order: what is sound of bad packs goes into new packs,
 * index files name these and the packs that are taken in, then the index files that name bad packs are replaced, and at
 * last what is bad is moved aside. Killed anywhere, everything that could be read before can be read still.
 */
export async function rebuildIndex(parts: Parts, plan: RepairPlan, holder: string, signal: AbortSignal): Promise<void> {
  const bad = new Set(plan.packs.filter(({ action }) => action !== 'take-in').map(({ id }) => id));
  const salvage = plan.packs.filter(({ action }) => action === 'salvage');
  await salvagePacks(parts, salvage, holder, signal);
  await takeIn(
    parts,
    plan.packs.filter(({ action }) => action === 'take-in').map(({ id }) => id),
    signal,
  );
  await replaceIndexFiles(parts, bad, signal);
  for (const id of plan.indexFiles) await setAside(parts.store, `index/${id}`, signal);
  for (const { id } of salvage) await setAside(parts.store, packName(id), signal);
}

async function salvagePacks(
  parts: Parts,
  packs: readonly PackAction[],
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  if (packs.length === 0) return;
  const uploads = new PackUploads(parts.store, parts.objects, signal, holder);
  const salvage = new PackSalvage(parts, uploads, signal);
  const byIndex = await indexedBlobs(parts, new Set(packs.map(({ id }) => id)), signal);
  for (const pack of packs) await salvage.take(pack, byIndex.get(pack.id) ?? []);
  await salvage.finish();
}

/** What index files say of these packs. */
async function indexedBlobs({ objects }: Parts, ids: ReadonlySet<string>, signal: AbortSignal) {
  const blobs = new Map<string, PackEntry[]>();
  for await (const file of readIndexFiles(objects, signal, () => {})) {
    for (const pack of file.packs()) {
      const id = toHex(pack.id);
      if (ids.has(id)) blobs.set(id, [...(blobs.get(id) ?? []), ...pack.blobs]);
    }
  }
  return blobs;
}

/** Brings blobs that open from bad packs into new ones, sealed as they are. */
class PackSalvage {
  readonly #parts: Parts;
  readonly #uploads: PackUploads;
  readonly #signal: AbortSignal;
  readonly #sealer: Sealer;
  readonly #builders: Readonly<Record<'data' | 'tree', PackBuilder>>;

  constructor(parts: Parts, uploads: PackUploads, signal: AbortSignal) {
    this.#parts = parts;
    this.#uploads = uploads;
    this.#signal = signal;
    this.#sealer = new Sealer(parts.key);
    this.#builders = { data: new PackBuilder('data', this.#sealer), tree: new PackBuilder('tree', this.#sealer) };
  }

  /**
   * By the pack's own header and by the index: either may say what the other does not. Throws CHANGE_STALE when something
   * does not open that did for the plan, which lets go of nothing for it.
   */
  async take({ id, lost }: PackAction, indexed: readonly PackEntry[]): Promise<void> {
    const sealed = await readAll(this.#parts.store, packName(id), this.#signal);
    const own = sealed && openHeader(this.#sealer, sealed);
    if (sealed === undefined || (own === undefined && lost?.isListLost !== true))
      throw readsOtherwise(`${packName(id)} cannot be read`);
    const taken = new Set<string>();
    const missed = new Set<string>();
    for (const blob of [...(own === undefined ? [] : decodeHeader(own)), ...indexed]) {
      const key = `${blob.type} ${toHex(blob.id)}`;
      if (taken.has(key)) continue;
      if (!opens(this.#sealer, id, sealed, blob)) {
        missed.add(key);
        continue;
      }
      taken.add(key);
      const bytes = sealed.subarray(blob.offset, blob.offset + blob.length);
      await this.#upload(this.#builders[blob.type].addSealed({ ...blob, id: new Uint8Array(blob.id) }, bytes));
    }
    const known = new Set(lost?.blobs);
    const missing = [...missed].find((key) => !taken.has(key) && !known.has(key.split(' ')[1]!));
    if (missing !== undefined) throw readsOtherwise(`blob ${missing} of ${packName(id)} does not open`);
  }

  async finish(): Promise<void> {
    for (const builder of Object.values(this.#builders)) await this.#upload(builder.finish());
    await this.#uploads.finish();
  }

  async #upload(pack: FinishedPack | undefined): Promise<void> {
    if (pack !== undefined) await this.#uploads.add(pack);
  }
}

const packsPerIndex = 1_000;

async function takeIn({ store, objects, key }: Parts, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const sealer = new Sealer(key);
  for (let at = 0; at < ids.length; at += packsPerIndex) {
    const packs: Pick<FinishedPack, 'id' | 'header'>[] = [];
    for (const id of ids.slice(at, at + packsPerIndex)) {
      const sealed = await readAll(store, packName(id), signal);
      const header = sealed && openHeader(sealer, sealed);
      if (header === undefined) throw readsOtherwise(`${packName(id)} cannot be read`);
      packs.push({ id: fromHex(id), header });
    }
    await writeIndex(objects, packs, signal);
  }
}

/** Each that names a bad pack by one that names the others. */
async function replaceIndexFiles({ objects }: Parts, bad: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const replaced: string[] = [];
  if (bad.size === 0) return;
  for await (const file of readIndexFiles(objects, signal, () => {})) {
    const { id } = file;
    if (![...file.packs()].some((pack) => bad.has(toHex(pack.id)))) continue;
    const document = await readIndexDocument(objects, id, signal);
    const packs = (document.packs ?? []).filter((pack) => !bad.has(pack.id));
    if (packs.length > 0) await objects.put('index', { ...document, packs } satisfies IndexDocument, signal);
    replaced.push(id);
  }
  await objects.delete('index', replaced, signal);
}
