import type { NodeType } from '../../driver/index.ts';

/** Bits of Go's `os.FileMode`, which differ from stat(2) above the nine permission bits. */
const goType: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: 2 ** 31,
  symlink: 2 ** 27,
  dev: 2 ** 26,
  chardev: 2 ** 26 + 2 ** 21,
  fifo: 2 ** 25,
  socket: 2 ** 24,
};
const special = [
  { unix: 0o4000, go: 2 ** 23 },
  { unix: 0o2000, go: 2 ** 22 },
  { unix: 0o1000, go: 2 ** 20 },
];

export function goMode(type: NodeType, mode: number): number {
  let value = (mode & 0o777) + goType[type];
  for (const bit of special) if ((mode & bit.unix) !== 0) value += bit.go;
  return value;
}

/** Permission, setuid, setgid and sticky bits as in stat(2). */
export function unixMode(goValue: number): number {
  let mode = goValue & 0o777;
  for (const bit of special) if ((goValue & bit.go) !== 0) mode |= bit.unix;
  return mode;
}
