import type { ExtendedAttribute, Node, Owner } from '../../../core/driver/index.ts';
import { decodeName } from '../../../core/path-bytes.ts';
import type { Accounts } from '../system/accounts.ts';
import type { Native } from '../system/native.ts';
import type { FileStat } from '../system/stat.ts';

/** Makes the node of a file system entry, without content. `attributes` are read unless they are known. */
export class NodeReader {
  readonly #native: Native;
  readonly #accounts: Accounts;
  readonly #owners = new Map<number, Map<number, Owner>>();

  constructor(native: Native, accounts: Accounts) {
    this.#native = native;
    this.#accounts = accounts;
  }

  node(name: string, stat: FileStat, attributes: readonly ExtendedAttribute[] | undefined): Node {
    return {
      name,
      type: stat.type,
      mode: stat.mode,
      mtimeNs: stat.mtimeNs,
      atimeNs: stat.atimeNs,
      ctimeNs: stat.ctimeNs,
      uid: stat.uid,
      gid: stat.gid,
      user: this.#accounts.user(stat.uid),
      group: this.#accounts.group(stat.gid),
      inode: stat.inode,
      deviceId: stat.deviceId,
      links: stat.type === 'dir' ? undefined : stat.links,
      device: stat.type === 'dev' || stat.type === 'chardev' ? stat.device : undefined,
      extendedAttributes: attributes,
    };
  }

  /** The same object for the same numbers. */
  owner(uid: number, gid: number): Owner {
    const ofUser = this.#owners.get(uid) ?? new Map<number, Owner>();
    const known = ofUser.get(gid);
    if (known !== undefined) return known;
    const owner = { uid, gid, user: this.#accounts.user(uid), group: this.#accounts.group(gid) };
    this.#owners.set(uid, ofUser.set(gid, owner));
    return owner;
  }

  /** The node of anything but a regular file. `folder` is open, `path` is the path of the entry. */
  special(folder: number, path: string, name: string, stat: FileStat, before: Node | undefined): Node {
    const node = this.node(name, stat, this.attributes(path, stat, before));
    if (stat.type !== 'symlink') return node;
    return { ...node, linkTarget: decodeName(this.#native.readLink(folder, name)) };
  }

  /** Attributes change ctime, so those of an earlier look at the same state are still right. */
  attributes(
    file: string | number,
    stat: FileStat,
    before: Node | undefined,
  ): readonly ExtendedAttribute[] | undefined {
    if (before?.ctimeNs === stat.ctimeNs && before.inode === stat.inode) return before.extendedAttributes;
    const names = this.#names(file);
    if (names.length === 0) return undefined;
    const found: ExtendedAttribute[] = [];
    for (const name of names) {
      const value = this.#value(file, name);
      if (value) found.push({ name, value });
    }
    return found;
  }

  #names(file: string | number): string[] {
    try {
      return this.#native.listAttributes(file);
    } catch (error) {
      if (isWithoutAttributes(error)) return [];
      throw error;
    }
  }

  #value(file: string | number, name: string): Uint8Array | undefined {
    try {
      return this.#native.getAttribute(file, name);
    } catch (error) {
      if (isWithoutAttributes(error)) return undefined;
      throw error;
    }
  }
}

/** Not supported there, removed just now, or of a kind that only root sees. */
function isWithoutAttributes(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENODATA' || code === 'EPERM';
}

export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}
