import { type Manifest, manifestFolder } from '../../driver/index.ts';
import { firstOf } from '../../first-of.ts';
import { BlobReading } from '../blob-reading.ts';
import { type SnapshotFacts, snapshotFacts } from '../check/snapshot-list.ts';
import { ifCorrupt } from '../format/damage.ts';
import type { RepositoryLock } from '../lock.ts';
import { parseManifest, readManifestText } from '../manifest.ts';
import type { RepositoryParts } from '../parts.ts';
import { setAside } from '../set-aside.ts';
import { readSnapshot } from '../snapshots.ts';
import { BlobWriting } from './blob-writing.ts';
import { readsOtherwise } from './fingerprint.ts';
import { isManifestOf } from './known-manifests.ts';
import type { SnapshotAction } from './plan.ts';
import { putManifest } from './put-manifest.ts';
import { type Rewritten, TreeRewriting } from './rewrite-trees.ts';

/** What became of a snapshot. */
export interface SnapshotChange {
  readonly id: string;
  /** The snapshot in its place; undefined when there is none. */
  readonly by?: string;
  /** Of a backup of tidemark's, as the new snapshot has it. */
  readonly manifest?: Manifest;
  readonly lost: readonly string[];
}

export interface RewriteOptions {
  /** What the catalog has of a manifest that the repository lost. */
  readonly manifestOf: (snapshot: string) => Promise<Manifest | undefined>;
  /** Whether the numbers of items and bytes in a manifest are those of what is in its tree. */
  readonly countsTree?: (manifest: Manifest) => boolean;
  /** Called when the new snapshot is durable and the old one still there. */
  readonly onChange: (change: SnapshotChange) => Promise<void>;
}

interface Ready extends SnapshotChange {
  readonly document: Readonly<Record<string, unknown>>;
  readonly tree: string;
}

/** Manifests may have megabytes: so many are held at a time. */
const batchSize = 20;

/**
 * Puts snapshots without what is lost in the place of those that lack something. All that a new one needs is durable before
 * it, and it before the old one is moved aside.
 */
export async function rewriteSnapshots(
  parts: RepositoryParts & { readonly lock: RepositoryLock },
  actions: readonly SnapshotAction[],
  options: RewriteOptions,
  signal: AbortSignal,
): Promise<SnapshotChange[]> {
  const changes: SnapshotChange[] = [];
  for (let at = 0; at < actions.length; at += batchSize) {
    const blobs = new BlobWriting(parts, parts.lock.holder, signal);
    const rewriting = new SnapshotRewriting(parts, blobs, options, signal);
    const batch: (Ready | SnapshotChange)[] = [];
    for (const action of actions.slice(at, at + batchSize)) batch.push(await rewriting.prepare(action));
    await blobs.finish();
    await parts.lock.confirm();
    for (const one of batch) changes.push(await rewriting.replace(one));
  }
  return changes;
}

class SnapshotRewriting {
  readonly #parts: RepositoryParts;
  readonly #blobs: BlobWriting;
  readonly #options: RewriteOptions;
  readonly #signal: AbortSignal;
  readonly #reading: BlobReading;
  readonly #trees: TreeRewriting;

  constructor(parts: RepositoryParts, blobs: BlobWriting, options: RewriteOptions, signal: AbortSignal) {
    this.#parts = parts;
    this.#blobs = blobs;
    this.#options = options;
    this.#signal = signal;
    this.#reading = new BlobReading(parts, signal);
    const hasData = (id: Uint8Array) => parts.index.has('data', id);
    this.#trees = new TreeRewriting(this.#reading, hasData, (bytes) => blobs.add('tree', bytes));
  }

  async prepare({ id, action, replacedBy }: SnapshotAction): Promise<Ready | SnapshotChange> {
    if (replacedBy !== undefined) return this.#replaced(id, replacedBy);
    if (action === 'set-aside') return { id, lost: [] };
    const document = (await this.#parts.objects.get('snapshots', id, this.#signal)) as Record<string, unknown>;
    const rewritten = await this.#trees.rewrite(String(document.tree));
    const { tree, lost } = rewritten;
    if (tree === undefined) return { id, lost };
    const facts = snapshotFacts(await readSnapshot(this.#parts.objects, id, this.#signal));
    const manifest = await this.#manifest(facts, rewritten);
    if (manifest === undefined) return { id, lost, document, tree };
    const root = await putManifest(tree, manifest, this.#trees, this.#blobs);
    return { id, lost: lost.filter(isNotManifest), document, tree: root, manifest };
  }

  /** What a repair that was cut off did: nobody may have been told. */
  async #replaced(id: string, by: string): Promise<SnapshotChange> {
    const { tree } = await readSnapshot(this.#parts.objects, id, this.#signal);
    const { lost } = await this.#trees.rewrite(tree);
    const facts = snapshotFacts(await readSnapshot(this.#parts.objects, by, this.#signal));
    const manifest = await this.#ownManifest(facts);
    const isOwn = manifest !== undefined;
    return { id, by, lost: isOwn ? lost.filter(isNotManifest) : lost, ...(isOwn && { manifest }) };
  }

  async replace(one: Ready | SnapshotChange): Promise<SnapshotChange> {
    const { id, lost, manifest } = one;
    const by = 'document' in one ? await this.#write(one) : one.by;
    const change = { id, lost, ...(by !== undefined && { by }), ...(manifest !== undefined && { manifest }) };
    await this.#options.onChange(change);
    await setAside(this.#parts.store, `snapshots/${id}`, this.#signal);
    return change;
  }

  #write({ id, document, tree }: Ready): Promise<string> {
    const tags = new Set([...((document.tags as string[] | null | undefined) ?? []), 'repaired']);
    const original = document.original ?? id;
    return this.#parts.objects.put('snapshots', { ...document, tree, original, replaces: id, tags: [...tags] });
  }

  async #ownManifest(facts: SnapshotFacts, onUnread: () => undefined = () => undefined): Promise<Manifest | undefined> {
    const text = await readManifestText(this.#reading, facts.tree).catch((error) => ifCorrupt(error, onUnread));
    if (text === undefined) return undefined;
    const read = await Promise.resolve(text)
      .then(parseManifest)
      .catch((error) => ifCorrupt(error, () => undefined));
    return isManifestOf(read, facts) ? read : undefined;
  }

  async #manifest(facts: SnapshotFacts, rewritten: Rewritten): Promise<Manifest | undefined> {
    const { id } = facts;
    let isUnread = false;
    const own = await this.#ownManifest(facts, () => {
      isUnread = true;
      return undefined;
    });
    const manifest = own ?? (await this.#options.manifestOf(id));
    if (!isManifestOf(manifest, facts)) {
      // It would be read again one day, and call the backup whole.
      if (isUnread && rewritten.lost.every(isNotManifest))
        throw readsOtherwise(`the manifest of snapshot ${id} does not open`);
      return undefined;
    }
    const files = rewritten.lost.filter(isNotManifest);
    const warnings = [
      ...manifest.warnings,
      ...(own === undefined ? ['repaired: its manifest was lost, this is the one that the catalog had'] : []),
      ...(files.length === 0
        ? []
        : [`repaired: lost for damage of the repository (${files.length}): ${firstOf(files, mostNamed)}`]),
    ];
    if (files.length === 0) return { ...manifest, warnings };
    const totals = this.#options.countsTree?.(manifest) ? await this.#totals(rewritten) : manifest.totals;
    return { ...manifest, totals, warnings, partial: true };
  }

  /** Without what is ours in it. */
  async #totals({ tree, totals }: Rewritten): Promise<Manifest['totals']> {
    const own = await this.#trees.totalsIn(tree!, manifestFolder);
    return { items: totals.items - own.items, bytes: totals.bytes - own.bytes };
  }
}

/** The manifest itself is made anew. */
function isNotManifest(path: string): boolean {
  return path !== manifestFolder && !path.startsWith(`${manifestFolder}/`);
}

const mostNamed = 100;
