/** What the children of tests need of the kit, who are many: it loads no driver and no test runner. */
import crypto from 'node:crypto';
import { type Clock, systemClock } from '../../../core/clock.ts';
import { type Content, emptyContent, type Node, type Progress, type Store } from '../../../core/driver/index.ts';
import type { RepositoryOptions } from '../../../core/repository/index.ts';
import { Secret } from '../../../core/secret.ts';
import { quick } from '../../kit/quick.ts';

export const password = 'correct horse';
export const noSignal = new AbortController().signal;
export const noProgress: Progress = { add() {}, expect() {}, step() {} };

export function openOptions(store: Store, more: Partial<RepositoryOptions> = {}): RepositoryOptions {
  return {
    store,
    password: new Secret(password),
    by: { host: 'test-host', user: 'tester', pid: process.pid },
    clock: systemClock as Clock,
    processAlive: () => true,
    ...quick,
    ...more,
  };
}

const plain = {
  mode: 0o644,
  mtimeNs: 1_700_000_000_123_456_789n,
  atimeNs: 1_700_000_001_000_000_000n,
  ctimeNs: 1_700_000_002_500_000_000n,
  uid: 0,
  gid: 0,
};

export function fileNode(name: string, content: Content = emptyContent, more: Partial<Node> = {}): Node {
  return { ...plain, name, type: 'file', content, ...more };
}

export function folderNode(name: string, subtree: string, more: Partial<Node> = {}): Node {
  return { ...plain, name, type: 'dir', mode: 0o755, subtree, ...more };
}

/** Bytes that look random and are the same for the same seed. */
export function randomBytes(seed: string, sizeBytes: number): Buffer {
  const key = crypto.hash('sha256', seed, 'buffer');
  return crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

export function sha256(bytes: Uint8Array): string {
  return crypto.hash('sha256', bytes);
}
