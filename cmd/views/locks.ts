import type { LockFacts } from '../../core/repository/index.ts';
import { type Look, printable } from './look.ts';
import { table } from './table.ts';

export function locksTable(locks: readonly LockFacts[], look: Look): string {
  if (locks.length === 0) return 'no locks\n';
  return table(
    locks,
    [
      { title: 'LOCK', cell: ({ id }) => id.slice(0, 8) },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'KIND', cell: ({ by }) => by && (by.exclusive ? 'exclusive' : 'shared') },
      { title: 'FOR', minor: true, cell: ({ by }) => by && printable(by.use ?? '(restic)') },
      { title: 'SINCE', cell: ({ by }) => by && printable(by.time) },
      { title: 'BY', cell: ({ by }) => by && printable(`${by.username}@${by.hostname}, process ${by.pid}`) },
    ],
    look,
  );
}
