import type { BackupReader, Content, Node } from '../../../core/driver/index.ts';
import { hasCode, TidemarkError } from '../../../core/error.ts';

/** Finds the files of a backup by their paths. Folders are read once. */
export class BackupFiles {
  readonly #backup: BackupReader;
  readonly #folders = new Map<string, Promise<readonly Node[]>>();

  constructor(backup: BackupReader) {
    this.#backup = backup;
  }

  /** Throws BACKUP_INCOMPLETE when the manifest names a file that is not there. */
  async content(path: string): Promise<Content> {
    const slash = path.lastIndexOf('/');
    const nodes = await this.#folder(slash < 0 ? '' : path.slice(0, slash));
    const content = nodes.find((one) => one.name === path.slice(slash + 1))?.content;
    if (content === undefined) throw missing(path);
    return content;
  }

  async bytes(path: string): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.#backup.read(await this.content(path))) parts.push(part);
    return Buffer.concat(parts);
  }

  /** Those of these small files whose text fits; none of those that are damaged. */
  async matching(paths: readonly string[], pattern: RegExp, signal: AbortSignal): Promise<Set<string>> {
    const found = new Set<string>();
    for (const path of paths) {
      signal.throwIfAborted();
      if (pattern.test(await this.textOf(path))) found.add(path);
    }
    return found;
  }

  /** The text of a small file; of one that is damaged, none. */
  async textOf(path: string): Promise<string> {
    try {
      return (await this.bytes(path)).toString('utf8');
    } catch (error) {
      if (hasCode(error, 'REPOSITORY_CORRUPT', 'BACKUP_INCOMPLETE')) return '';
      throw error;
    }
  }

  #folder(path: string): Promise<readonly Node[]> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const read = this.#readFolder(path);
    this.#folders.set(path, read);
    return read;
  }

  async #readFolder(path: string): Promise<readonly Node[]> {
    if (path === '') return this.#backup.tree(this.#backup.rootTree);
    const slash = path.lastIndexOf('/');
    const parent = await this.#folder(slash < 0 ? '' : path.slice(0, slash));
    const subtree = parent.find((one) => one.name === path.slice(slash + 1))?.subtree;
    if (subtree === undefined) throw missing(path);
    return this.#backup.tree(subtree);
  }
}

function missing(path: string): TidemarkError {
  return new TidemarkError('BACKUP_INCOMPLETE', `the backup has no ${path}`, {
    hint: 'Restore an older backup, and check the repository.',
  });
}
