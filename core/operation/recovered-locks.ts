import type { RepositoryLock } from '../repository/index.ts';

/** For people: locks that were taken away on the way. Whoever held one may work on, where a clock is wrong: somebody should know. */
export function recoveredWarnings({ recovered }: Pick<RepositoryLock, 'recovered'>): string[] {
  return recovered.map(
    (lock) =>
      `the ${lock}, was taken away: its process is dead or has not renewed it for half an hour; if it lives, look at the clocks of both machines and check the repository`,
  );
}
