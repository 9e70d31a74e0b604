import type { EntryState, NodeType } from '../../../core/driver/index.ts';

/** What statx(2) says about one name, never following a link. */
export interface FileStat {
  readonly type: NodeType;
  /** Permission bits, setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: bigint;
  readonly deviceId: bigint;
  /** rdev, of device nodes. */
  readonly device: bigint;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Bytes of `struct statx`, which is the same on every architecture (linux/stat.h). */
export const statxSizeBytes = 256;

export const statxBirth = 0x800;
const typeBits = 0o170000;

/** File type bits of stat(2) for each type of node. */
export const typeModes: Readonly<Record<NodeType, number>> = {
  file: 0o100000,
  dir: 0o040000,
  symlink: 0o120000,
  dev: 0o060000,
  chardev: 0o020000,
  fifo: 0o010000,
  socket: 0o140000,
};

const typesByMode = new Map(Object.entries(typeModes).map(([type, mode]) => [mode, type as NodeType]));

/**
 * What the last statx(2) into a buffer says, in numbers and without objects: most entries of a backup are looked at once and
 * are as they were.
 */
export class StatView implements EntryState {
  readonly bytes = Buffer.alloc(statxSizeBytes);
  readonly #view = new DataView(this.bytes.buffer, this.bytes.byteOffset, statxSizeBytes);
  #device = { major: 0, minor: 0, id: 0n };

  get type(): NodeType {
    return typesByMode.get(this.#view.getUint16(28, true) & typeBits)!;
  }

  get mode(): number {
    return this.#view.getUint16(28, true) & 0o7777;
  }

  get uid(): number {
    return this.#view.getUint32(20, true);
  }

  get gid(): number {
    return this.#view.getUint32(24, true);
  }

  get links(): number {
    return this.#view.getUint32(16, true);
  }

  get inode(): bigint {
    return this.#view.getBigUint64(32, true);
  }

  get deviceId(): bigint {
    const [major, minor] = [this.#view.getUint32(136, true), this.#view.getUint32(140, true)];
    const last = this.#device;
    if (major !== last.major || minor !== last.minor) this.#device = { major, minor, id: deviceNumber(major, minor) };
    return this.#device.id;
  }

  get sizeBytes(): number {
    return this.#wide(40);
  }

  get atimeSeconds(): number {
    return this.#wide(64);
  }

  get atimeNanos(): number {
    return this.#view.getUint32(72, true);
  }

  get ctimeSeconds(): number {
    return this.#wide(96);
  }

  get ctimeNanos(): number {
    return this.#view.getUint32(104, true);
  }

  get mtimeSeconds(): number {
    return this.#wide(112);
  }

  get mtimeNanos(): number {
    return this.#view.getUint32(120, true);
  }

  decode(): FileStat {
    return decodeStatx(this.#view);
  }

  get birthNs(): bigint | undefined {
    return (this.#view.getUint32(0, true) & statxBirth) === 0 ? undefined : timeNs(this.#view, 80);
  }

  #wide(at: number): number {
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }
}

function decodeStatx(view: DataView): FileStat {
  const mode = view.getUint16(28, true);
  return {
    type: typesByMode.get(mode & typeBits)!,
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    links: view.getUint32(16, true),
    inode: view.getBigUint64(32, true),
    deviceId: deviceNumber(view.getUint32(136, true), view.getUint32(140, true)),
    device: deviceNumber(view.getUint32(128, true), view.getUint32(132, true)),
    sizeBytes: Number(view.getBigUint64(40, true)),
    allocatedBytes: Number(view.getBigUint64(48, true)) * 512,
    atimeNs: timeNs(view, 64),
    ctimeNs: timeNs(view, 96),
    mtimeNs: timeNs(view, 112),
  };
}

/** True when the bytes of a file cannot have changed between the two looks (which is what ctime is for). */
export function isSameState(a: FileStat, b: FileStat): boolean {
  return (
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.sizeBytes === b.sizeBytes &&
    a.inode === b.inode &&
    a.type === b.type
  );
}

function timeNs(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * 1_000_000_000n + BigInt(view.getUint32(at + 8, true));
}

/** glibc's makedev(3), as in `st_dev`. */
function deviceNumber(major: number, minor: number): bigint {
  if (major < 0x1000 && minor < 0x100) return BigInt(major * 0x100 + minor);
  const high = (BigInt(major) & 0xfffff000n) << 32n;
  return high | ((BigInt(major) & 0xfffn) << 8n) | ((BigInt(minor) & 0xffffff00n) << 12n) | (BigInt(minor) & 0xffn);
}
