import type { Clock } from '../clock.ts';

/** Whether the loops of the daemon do their rounds. */
export interface Health {
  /** A loop has done a round. */
  pulse(loop: string): void;
  /** A loop has ended as it should. */
  end(loop: string): void;
  /** A loop has ended that should not. */
  fail(loop: string): void;
  /** The loops that died or hang. */
  sick(): readonly string[];
}

/** Loops do a round every few seconds; a round waits for the catalog at most. */
const hangsAfterMs = 120_000;

export function createHealth(clock: Clock): Health {
  const lastMs = new Map<string, number>();
  const dead = new Set<string>();
  return {
    pulse: (loop) => void lastMs.set(loop, clock.monotonicMs()),
    end: (loop) => void lastMs.delete(loop),
    fail: (loop) => void dead.add(loop),
    sick: () => {
      const hanging = [...lastMs].filter(([, atMs]) => clock.monotonicMs() - atMs > hangsAfterMs);
      return [...new Set([...dead, ...hanging.map(([loop]) => loop)])];
    },
  };
}
