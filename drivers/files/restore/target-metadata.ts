import { fchmodSync, fchownSync } from 'node:fs';
import type { Native } from '../system/native.ts';
import type { Metadata, RestoreReport } from './restore-task.ts';

/** What a new file has already, and need not be given. */
export type Birth = Pick<Metadata, 'uid' | 'gid' | 'mode'>;

/**
 * Owner first, because a change of owner takes setuid bits and capabilities away; the mode after the attributes, which
 * a read-only file would refuse; times last. What the user may not set, or the file system does not know, is counted.
 */
export function applyMetadata(
  native: Native,
  descriptor: number,
  metadata: Metadata,
  report: RestoreReport,
  birth?: Birth,
): void {
  const { uid, gid, mode, attributes } = metadata;
  const owned = birth?.uid === uid && birth.gid === gid;
  if (!owned) countRefusal(report, 'owners', () => fchownSync(descriptor, uid, gid));
  applyAttributes(native, descriptor, metadata, report);
  // A change of owner, and an attribute that is an access list, change the mode.
  if (!owned || attributes !== undefined || birth?.mode !== mode) {
    countRefusal(report, 'modes', () => fchmodSync(descriptor, mode));
  }
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
