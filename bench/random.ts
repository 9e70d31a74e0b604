import { createCipheriv, createHash } from 'node:crypto';

/** Numbers and bytes that depend on the seed alone, so that two runs measure the same data. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  below(limit: number): number;
  /** As often between 1 and 2 as between 1000 and 2000. */
  logUniform(from: number, to: number): number;
  bytes(sizeBytes: number): Buffer;
}

const poolSizeBytes = 1 << 20;

export function random(seed: string): Random {
  const key = createHash('sha256').update(seed).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const bytes = (sizeBytes: number) => stream.update(Buffer.alloc(sizeBytes));
  let pool = Buffer.alloc(0);
  let at = 0;
  const next = () => {
    if (at === pool.length) [pool, at] = [bytes(poolSizeBytes), 0];
    at += 4;
    return pool.readUInt32LE(at - 4) / 2 ** 32;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    logUniform: (from, to) => Math.floor(from * (to / from) ** next()),
    bytes,
  };
}
