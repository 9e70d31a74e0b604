import { constants, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type * as Koffi from 'koffi';
import { encodeName } from '../../../core/path-bytes.ts';
import { type FileStat, StatView, statxBirth } from './stat.ts';

/**
 * The libc calls that Node lacks: relative to an open folder (so that no symbolic link is followed on the way), with
 * nanoseconds, extended attributes, special files. Names are strings of `core/path-bytes.ts`. A call takes 1 to 2 µs.
 * Failures throw errors like Node's own, with `code` and `syscall`. One per thread.
 */
export interface Native {
  open(folder: number, name: string, flags: number, mode?: number): number;
  /** What `open` opened; Node's own `closeSync` warns about those in threads. */
  close(descriptor: number): void;
  /** Never follows a link; the empty name means the descriptor itself. */
  stat(folder: number, name: string): FileStat;
  /** As `stat`; what it gives is of this entry until the next call. */
  look(folder: number, name: string): StatView;
  /** When it was made, in nanoseconds, as `stat` names it. Undefined where the file system does not keep it. */
  birth(folder: number, name: string): bigint | undefined;
  /**
   * What is in an open folder that nobody has listed yet: names in Latin-1, which keeps their bytes and is much faster than a
   * buffer per name. A file system may name an entry twice while the folder changes.
   */
  list(folder: number): string[];
  readLink(folder: number, name: string): Buffer;
  makeFolder(folder: number, name: string, mode: number): void;
  makeSymlink(target: string, folder: number, name: string): void;
  /** `mode` with the type bits: fifos, sockets, devices. */
  makeNode(folder: number, name: string, mode: number, device: bigint): void;
  makeLink(fromFolder: number, from: string, toFolder: number, to: string): void;
  /** Gives a name to what `openUnnamed` opened. Fails with EEXIST where it exists. */
  linkUnnamed(descriptor: number, folder: number, name: string): void;
  rename(fromFolder: number, from: string, toFolder: number, to: string): void;
  /** Fails with EEXIST where `to` exists, at once and for all. Not every file system can: EINVAL. */
  renameNoReplace(fromFolder: number, from: string, toFolder: number, to: string): void;
  remove(folder: number, name: string, kind: 'file' | 'folder'): void;
  /** Never follows a link. */
  chown(folder: number, name: string, uid: number, gid: number): void;
  /** Follows a link: not for symbolic links. */
  setMode(folder: number, name: string, mode: number): void;
  /** Never follows a link; the empty name means the descriptor itself. */
  setTimes(folder: number, name: string, atimeNs: bigint, mtimeNs: bigint): void;
  /** Brings all that was written to the file system of a descriptor to its disk, and throws when some of it cannot be. */
  syncFileSystem(descriptor: number): void;
  /** Names of extended attributes of a path, not following a link, or of a descriptor. */
  listAttributes(file: string | number): string[];
  getAttribute(file: string | number, name: string): Buffer;
  setAttribute(file: string | number, name: string, value: Uint8Array): void;
}

/** The folder that relative paths start from, for calls with an absolute path. */
export const workingFolder = -100;

const atSymlinkNoFollow = 0x100;
const atRemoveFolder = 0x200;
const atSymlinkFollow = 0x400;
const atEmptyPath = 0x1000;
const renameNoReplaceFlag = 1;
const statxBasicStats = 0x7ff;
const attributeMaxBytes = 65_536;
const recordsBytes = 65_536;

export const openPathOnly = 0o10000000;
/** O_TMPFILE: a new file without a name in the folder that is opened. Not every file system can. */
export const openUnnamed = 0o20000000 | constants.O_DIRECTORY;
const openCloseOnExec = 0o2000000;
export const openNoAtime = constants.O_NOATIME ?? 0;

export function loadNative(): Native {
  const koffi = loadKoffi();
  const libc = declareFunctions(koffi);
  const check = (result: number | bigint, syscall: string, name: string): number => {
    if (result < 0) throw systemError(koffi.errno(), syscall, name);
    return Number(result);
  };
  return { ...fileCalls(libc, check), ...listingCalls(libc, check), ...attributeCalls(libc, check) };
}

type Libc = ReturnType<typeof declareFunctions>;
type Check = (result: number | bigint, syscall: string, name: string) => number;

function declareFunctions(koffi: typeof Koffi) {
  const libc = koffi.load(null);
  return {
    openat: libc.func('int openat(int, const char *, int, int)'),
    getdents64: ifDeclared(() => libc.func('intptr_t getdents64(int, void *, size_t)')),
    close: libc.func('int close(int)'),
    syncfs: libc.func('int syncfs(int)'),
    statx: libc.func('int statx(int, const char *, int, unsigned int, void *)'),
    readlinkat: libc.func('intptr_t readlinkat(int, const char *, void *, size_t)'),
    mkdirat: libc.func('int mkdirat(int, const char *, uint32_t)'),
    symlinkat: libc.func('int symlinkat(const char *, int, const char *)'),
    mknodat: libc.func('int mknodat(int, const char *, uint32_t, uint64_t)'),
    linkat: libc.func('int linkat(int, const char *, int, const char *, int)'),
    renameat2: libc.func('int renameat2(int, const char *, int, const char *, unsigned int)'),
    unlinkat: libc.func('int unlinkat(int, const char *, int)'),
    fchownat: libc.func('int fchownat(int, const char *, uint32_t, uint32_t, int)'),
    fchmodat: libc.func('int fchmodat(int, const char *, uint32_t, int)'),
    utimensat: libc.func('int utimensat(int, const char *, const void *, int)'),
    futimens: libc.func('int futimens(int, const void *)'),
    llistxattr: libc.func('intptr_t llistxattr(const char *, void *, size_t)'),
    flistxattr: libc.func('intptr_t flistxattr(int, void *, size_t)'),
    lgetxattr: libc.func('intptr_t lgetxattr(const char *, const char *, void *, size_t)'),
    fgetxattr: libc.func('intptr_t fgetxattr(int, const char *, void *, size_t)'),
    lsetxattr: libc.func('int lsetxattr(const char *, const char *, const void *, size_t, int)'),
    fsetxattr: libc.func('int fsetxattr(int, const char *, const void *, size_t, int)'),
  };
}

/** glibc has some calls only since 2019. */
function ifDeclared<Function>(declare: () => Function): Function | undefined {
  try {
    return declare();
  } catch {
    return undefined;
  }
}

function fileCalls(
  libc: Libc,
  check: Check,
): Omit<Native, keyof ReturnType<typeof attributeCalls> | keyof ReturnType<typeof listingCalls>> {
  const view = new StatView();
  const linkBuffer = Buffer.alloc(4096);
  const times = new BigInt64Array(4);
  const statx = (folder: number, name: string, mask: number) => {
    const flags = name === '' ? atEmptyPath : atSymlinkNoFollow;
    check(libc.statx(folder, cString(name), flags, mask, view.bytes), 'statx', name);
  };
  return {
    open: (folder, name, flags, mode = 0) =>
      check(libc.openat(folder, cString(name), flags | openCloseOnExec, mode), 'openat', name),
    close: (descriptor) => void check(libc.close(descriptor), 'close', ''),
    syncFileSystem: (descriptor) => void check(libc.syncfs(descriptor), 'syncfs', ''),
    stat(folder, name) {
      statx(folder, name, statxBasicStats);
      return view.decode();
    },
    look(folder, name) {
      statx(folder, name, statxBasicStats);
      return view;
    },
    birth(folder, name) {
      statx(folder, name, statxBirth);
      return view.birthNs;
    },
    readLink(folder, name) {
      const length = check(libc.readlinkat(folder, cString(name), linkBuffer, linkBuffer.length), 'readlinkat', name);
      return Buffer.from(linkBuffer.subarray(0, length));
    },
    makeFolder: (folder, name, mode) => void check(libc.mkdirat(folder, cString(name), mode), 'mkdirat', name),
    makeSymlink: (target, folder, name) =>
      void check(libc.symlinkat(cString(target), folder, cString(name)), 'symlinkat', name),
    makeNode: (folder, name, mode, device) =>
      void check(libc.mknodat(folder, cString(name), mode, device), 'mknodat', name),
    makeLink: (fromFolder, from, toFolder, to) =>
      void check(libc.linkat(fromFolder, cString(from), toFolder, cString(to), 0), 'linkat', to),
    linkUnnamed: (descriptor, folder, name) =>
      void check(
        libc.linkat(workingFolder, `/proc/self/fd/${descriptor}`, folder, cString(name), atSymlinkFollow),
        'linkat',
        name,
      ),
    rename: (fromFolder, from, toFolder, to) =>
      void check(libc.renameat2(fromFolder, cString(from), toFolder, cString(to), 0), 'renameat', to),
    renameNoReplace: (fromFolder, from, toFolder, to) =>
      void check(
        libc.renameat2(fromFolder, cString(from), toFolder, cString(to), renameNoReplaceFlag),
        'renameat2',
        to,
      ),
    remove: (folder, name, kind) =>
      void check(libc.unlinkat(folder, cString(name), kind === 'folder' ? atRemoveFolder : 0), 'unlinkat', name),
    chown: (folder, name, uid, gid) =>
      void check(libc.fchownat(folder, cString(name), uid, gid, atSymlinkNoFollow), 'fchownat', name),
    setMode: (folder, name, mode) => void check(libc.fchmodat(folder, cString(name), mode, 0), 'fchmodat', name),
    setTimes(folder, name, atimeNs, mtimeNs) {
      putTime(times, 0, atimeNs);
      putTime(times, 2, mtimeNs);
      const result =
        name === '' ? libc.futimens(folder, times) : libc.utimensat(folder, cString(name), times, atSymlinkNoFollow);
      check(result, 'utimensat', name);
    },
  };
}

function listingCalls({ getdents64 }: Libc, check: Check) {
  const records = Buffer.alloc(recordsBytes);
  return {
    list(folder: number): string[] {
      if (getdents64 === undefined) return readdirSync(`/proc/self/fd/${folder}`, { encoding: 'latin1' });
      const names: string[] = [];
      for (;;) {
        const lengthBytes = check(getdents64(folder, records, recordsBytes), 'getdents64', '');
        if (lengthBytes === 0) return names;
        addNames(names, records, lengthBytes);
      }
    },
  };
}

/** Records of getdents64(2): inode, offset, length of the record at 16, type, and the name with a zero behind it from 19 on. */
function addNames(names: string[], records: Buffer, lengthBytes: number): void {
  for (let at = 0; at < lengthBytes; at += records.readUInt16LE(at + 16)) {
    const start = at + 19;
    let end = start;
    while (records[end] !== 0) end += 1;
    const name = records.toString('latin1', start, end);
    if (name !== '.' && name !== '..') names.push(name);
  }
}

function attributeCalls(libc: Libc, check: Check) {
  const buffer = Buffer.alloc(attributeMaxBytes);
  return {
    listAttributes(file: string | number): string[] {
      const result =
        typeof file === 'number'
          ? libc.flistxattr(file, buffer, attributeMaxBytes)
          : libc.llistxattr(cString(file), buffer, attributeMaxBytes);
      const length = check(result, 'listxattr', String(file));
      return length === 0 ? [] : buffer.toString('utf8', 0, length - 1).split('\0');
    },
    getAttribute(file: string | number, name: string): Buffer {
      const result =
        typeof file === 'number'
          ? libc.fgetxattr(file, name, buffer, attributeMaxBytes)
          : libc.lgetxattr(cString(file), name, buffer, attributeMaxBytes);
      return Buffer.from(buffer.subarray(0, check(result, 'getxattr', String(file))));
    },
    setAttribute(file: string | number, name: string, value: Uint8Array): void {
      const result =
        typeof file === 'number'
          ? libc.fsetxattr(file, name, value, value.length, 0)
          : libc.lsetxattr(cString(file), name, value, value.length, 0);
      check(result, 'setxattr', String(file));
    },
  };
}

/** koffi passes strings as UTF-8; a name that is not UTF-8 goes as bytes. */
function cString(name: string): string | Buffer {
  return name.isWellFormed() ? name : Buffer.concat([encodeName(name), Buffer.of(0)]);
}

/** As a `struct timespec`, whose nanoseconds are never negative. */
function putTime(times: BigInt64Array, at: number, ns: bigint): void {
  const rest = ns % second;
  const nanoseconds = rest < 0n ? rest + second : rest;
  times[at] = (ns - nanoseconds) / second;
  times[at + 1] = nanoseconds;
}

const second = 1_000_000_000n;

/** `errno` must be read right behind the call: Node's own calls, as those that look for a module, set it to 0. */
function systemError(errno: number, syscall: string, name: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall} '${name}'`), { code, errno: -errno, syscall, path: name });
}

/** Only when first needed: a daemon that waits for its next run does without. */
function loadKoffi(): typeof Koffi {
  return createRequire(import.meta.url)('koffi') as typeof Koffi;
}
