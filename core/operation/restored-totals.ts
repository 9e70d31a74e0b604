import type { Manifest, RestoreResult } from '../driver/index.ts';
import { formatBytes } from '../units.ts';

/**
 * Of a restore of all of a backup that says it is whole: what it brought back, beside what the manifest says it holds. The
 * tree may lack what the manifest counts, where another program wrote one of the two. A file that changed while it was read
 * may have another size than was counted, and is told as a warning of the backup.
 */
export function besideManifest(result: RestoreResult, { totals, warnings }: Manifest): RestoreResult {
  const { items, bytes } = result;
  if (result.partial || (items >= totals.items && (bytes >= totals.bytes || warnings.length > 0))) return result;
  const [brought, told] = [
    { items, bytes },
    { items: totals.items, bytes: totals.bytes },
  ].map((one) => `${one.items} items with ${formatBytes(one.bytes)}`);
  const text = `the backup holds less than its manifest says: ${brought} came back, not ${told}`;
  return { ...result, warnings: [...result.warnings, text], partial: true };
}
