import type { BackupWithManifest } from '../catalog/index.ts';
import type { Manifest } from '../driver/index.ts';

/** The catalog's record of a backup: all of it is in the manifest, but for where the copy is. */
export function recordOf(
  manifest: Manifest,
  copy: { readonly destination: string; readonly snapshot: string; readonly addedBytes?: number },
): BackupWithManifest {
  const { id, plan, source, driver, type, selection, totals, partial, warnings, identity } = manifest;
  return {
    ...copy,
    id,
    plan,
    source,
    driver,
    type,
    selection,
    startedAt: new Date(manifest.startedAt),
    endedAt: new Date(manifest.endedAt),
    consistentAt: new Date(manifest.consistentPoint.time),
    sizeBytes: totals.bytes,
    items: totals.items,
    partial,
    warnings,
    ...(identity ? { identity } : {}),
    manifest,
  };
}
