import { randomBytes } from '../core/repository/repository-kit.ts';

/** The same choices for the same seed. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
}

export function seededRandom(seed: string): Random {
  let drawn = 0;
  const next = () => randomBytes(`${seed} ${drawn++}`, 4).readUInt32LE();
  const below = (limit: number) => next() % limit;
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => randomBytes(`${seed} ${drawn++}`, length),
  };
}
