import { type Manifest, manifestFolder } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import type { BlobReading } from './blob-reading.ts';
import type { Snapshot } from './snapshots.ts';

/** Its name in `manifestFolder`. */
export const manifestFile = 'manifest.json';

/** The manifest of a backup; undefined for a snapshot that tidemark did not write. Throws UNSUPPORTED for a newer format. */
export async function readManifest(blobs: BlobReading, rootTree: string): Promise<Manifest | undefined> {
  const text = await readManifestText(blobs, rootTree);
  return text === undefined ? undefined : parseManifest(text);
}

/** As it stands there, whatever it says. Throws REPOSITORY_CORRUPT only where a blob of it cannot be had. */
export async function readManifestText(blobs: BlobReading, rootTree: string): Promise<string | undefined> {
  const folder = (await blobs.tree(rootTree)).find((node) => node.name === manifestFolder);
  if (folder?.subtree === undefined) return undefined;
  const file = (await blobs.tree(folder.subtree)).find((node) => node.name === manifestFile);
  if (file?.content === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of blobs.read(file.content)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

/**
 * Why a manifest is not that of this backup of tidemark's; undefined where it is, or where there is no such backup. A folder
 * that was restored with its manifest in it, and backed up by restic with our tags, has a time of its own: what copies,
 * tags or rewrites a snapshot leaves that.
 */
export function manifestMisfit(
  manifest: Manifest | undefined,
  { backup, time }: { readonly backup?: string; readonly time: string },
): string | undefined {
  if (backup === undefined) return undefined;
  if (!isOurId(backup)) return 'the id in its tags is none of a backup of tidemark';
  if (manifest === undefined) return 'it has no manifest';
  if (manifest.id !== backup) return `its manifest is that of backup ${manifest.id}`;
  return isTimeOf(manifest, time)
    ? undefined
    : `its manifest is that of another snapshot, of ${manifest.consistentPoint.time}`;
}

/** Other programs write times in other ways: `12:00:00Z` for `12:00:00.000Z`. */
export function isTimeOf(manifest: Manifest | undefined, time: string): boolean {
  return Date.parse(time) === Date.parse(manifest?.consistentPoint.time ?? '');
}

/** A ULID: whatever else stands there, nobody could name the backup by it. */
export function isOurId(id: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id);
}

/** What a snapshot of another program says of itself, as a backup of files. How much is in it is not known. */
export function foreignManifest(snapshot: Snapshot): Manifest {
  return {
    format: 1,
    tidemark: '',
    id: snapshot.id,
    plan: '',
    source: snapshot.hostname,
    driver: 'files',
    type: 'snapshot',
    selection: { include: snapshot.paths, exclude: [] },
    startedAt: snapshot.time,
    endedAt: snapshot.time,
    flavour: 'restic',
    version: '',
    identity: snapshot.hostname,
    consistentPoint: { time: snapshot.time },
    totals: { items: 0, bytes: 0 },
    contents: [],
    warnings: [],
    partial: false,
  };
}

/** Throws as `readManifest`. */
export function parseManifest(text: string): Manifest {
  const manifest = fromJson(text);
  if (typeof manifest.format === 'number' && manifest.format !== 1) throw newer(manifest.format);
  if (isComplete(manifest)) return manifest;
  throw new TidemarkError('REPOSITORY_CORRUPT', 'the manifest of the backup lacks what every manifest has');
}

function fromJson(text: string): Partial<Manifest> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Manifest>;
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'the manifest of the backup is not JSON', { cause });
  }
}

/**
 * As far as everybody relies on it: whoever imports takes it into the catalog as it is. A folder of a user's may have a file
 * of this name, too.
 */
function isComplete(manifest: Partial<Manifest>): manifest is Manifest {
  const { id, plan, source, driver, type, startedAt, endedAt, consistentPoint, totals, identity = '' } = manifest;
  const { warnings, contents, selection, partial = false } = manifest;
  return (
    manifest.format === 1 &&
    [id, plan, source, driver, type].every(isPlainName) &&
    typeof identity === 'string' &&
    typeof partial === 'boolean' &&
    [startedAt, endedAt, consistentPoint?.time].every((time) => !Number.isNaN(Date.parse(String(time)))) &&
    [totals?.items, totals?.bytes].every(Number.isSafeInteger) &&
    areTexts(warnings) &&
    Array.isArray(contents) &&
    contents.every((one) => typeof one === 'object' && one !== null) &&
    areTexts(selection?.include) &&
    areTexts(selection?.exclude ?? [])
  );
}

function areTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((one) => typeof one === 'string');
}

function isPlainName(text: unknown): boolean {
  return typeof text === 'string' && /^\P{Cc}+$/u.test(text);
}

function newer(format: number): TidemarkError {
  return new TidemarkError('UNSUPPORTED', `the backup has manifest format ${format}, this version knows format 1`, {
    hint: 'Use the version of tidemark that made it, or a newer one.',
  });
}
