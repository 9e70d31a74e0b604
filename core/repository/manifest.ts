import type { Manifest } from '../driver/index.ts';
import { TidemarkError } from '../error.ts';
import type { BlobReading } from './blob-reading.ts';
import type { Snapshot } from './snapshots.ts';

/** Where the manifest lies in the tree of every backup of tidemark's. */
export const manifestFolder = '.tidemark';
export const manifestFile = 'manifest.json';

/** The manifest of a backup; undefined for a snapshot that tidemark did not write. Throws UNSUPPORTED for a newer format. */
export async function readManifest(blobs: BlobReading, rootTree: string): Promise<Manifest | undefined> {
  const folder = (await blobs.tree(rootTree)).find((node) => node.name === manifestFolder);
  if (folder?.subtree === undefined) return undefined;
  const file = (await blobs.tree(folder.subtree)).find((node) => node.name === manifestFile);
  if (file?.content === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of blobs.read(file.content)) parts.push(part);
  return parseManifest(Buffer.concat(parts).toString('utf8'));
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

function parseManifest(text: string): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch (cause) {
    throw new TidemarkError('REPOSITORY_CORRUPT', 'the manifest of the backup is not JSON', { cause });
  }
  if (manifest.format === 1) return manifest;
  throw new TidemarkError(
    'UNSUPPORTED',
    `the backup has manifest format ${manifest.format}, this version knows format 1`,
    {
      hint: 'Use the version of tidemark that made it, or a newer one.',
    },
  );
}
