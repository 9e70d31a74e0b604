import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeName, encodeName } from '../../../core/path-bytes.ts';

/** One line of `/proc/self/mountinfo`. */
export interface Mount {
  /** As long as it is mounted. */
  readonly id: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly device: string;
}

/** The mount that holds `path`; of a path that does not exist, the one that would hold it. */
export async function mountOf(path: string): Promise<Mount> {
  const real = await realExistingPart(path);
  const mounts = await readMounts();
  let best: Mount = { id: '0', point: '/', fileSystem: 'unknown', device: 'unknown' };
  for (const mount of mounts) {
    if (isAtOrBelow(real, mount.point) && mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

export async function readMounts(): Promise<Mount[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'latin1'));
}

/** Whether `path` is on another file system than `/`, which is what `requireMount` asks for. */
export async function isMounted(path: string): Promise<boolean> {
  return (await mountOf(path)).point !== '/';
}

export const notMounted = 'is not on a mounted file system';
export const mountHint =
  'Mount it, or leave out `requireMount` when the folder is meant to be on the root file system.';

export function isAtOrBelow(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

async function realExistingPart(path: string): Promise<string> {
  try {
    return decodeName(await realpath(encodeName(path), 'buffer'));
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    return realExistingPart(parent);
  }
}

/** Fields of proc(5): id, parent, device, root, mount point, options, …, `-`, type, source, options. */
function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    const [id, , , , point] = left?.split(' ') ?? [];
    const [fileSystem, device] = right?.split(' ') ?? [];
    if (id && point && fileSystem && device !== undefined)
      mounts.push({ id, point: unescapeOctal(point), fileSystem, device });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return decodeName(Buffer.from(bytes, 'latin1'));
}
