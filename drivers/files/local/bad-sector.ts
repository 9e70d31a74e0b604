import { mountOf } from '../system/mount.ts';
import { codeOf } from './durable-file.ts';

/** Whether a disk could not give back a part of one file. A network file system says the same when its server is away. */
export async function isBadSector(error: unknown, path: string): Promise<boolean> {
  if (!['EIO', 'EBADMSG'].includes(codeOf(error))) return false;
  return !ofNetwork.test((await mountOf(path)).fileSystem);
}

const ofNetwork = /^(nfs|cifs|smb|fuse|ceph|9p|afs|gluster|lustre|ocfs|gfs)/;
