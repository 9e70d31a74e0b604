import { fchmodSync, fchownSync } from 'node:fs';
import type { Native } from '../system/native.ts';
import type { Metadata, RestoreReport } from './restore-task.ts';

/**
 * Owner first, because a change of owner takes setuid bits and capabilities away; the mode after the attributes, which
 * a read-only file would refuse; times last. What the user may not set, or the file system does not know, is counted.
 */
export function applyMetadata(native: Native, descriptor: number, metadata: Metadata, report: RestoreReport): void {
  countRefusal(report, 'owners', () => fchownSync(descriptor, metadata.uid, metadata.gid));
  applyAttributes(native, descriptor, metadata, report);
  countRefusal(report, 'modes', () => fchmodSync(descriptor, metadata.mode));
  countRefusal(report, 'times', () => native.setTimes(descriptor, '', metadata.atimeNs, metadata.mtimeNs));
}

export function applyAttributes(
  native: Native,
  file: number | string,
  metadata: Metadata,
  report: RestoreReport,
): void {
  for (const { name, value } of metadata.attributes ?? []) {
    countRefusal(report, 'attributes', () => native.setAttribute(file, name, value));
  }
}

export function countRefusal(
  report: RestoreReport,
  what: 'owners' | 'modes' | 'times' | 'attributes',
  work: () => void,
): void {
  try {
    work();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL'].includes(code)) throw error;
    report[what] += 1;
  }
}
