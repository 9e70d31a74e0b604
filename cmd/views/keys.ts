import type { listKeys } from '../../core/operation/index.ts';
import { type Look, printable } from './look.ts';
import { table } from './table.ts';
import { formatTime } from './words.ts';

type Key = Awaited<ReturnType<typeof listKeys>>[number];

export function keysTable(keys: readonly Key[], look: Look): string {
  return table(
    keys,
    [
      { title: 'KEY', cell: ({ id }) => id.slice(0, 8) },
      { title: 'CREATED', cell: ({ created }) => formatTime(created) },
      { title: 'BY', minor: true, cell: ({ username, hostname }) => printable(`${username}@${hostname}`) },
      { title: 'IN USE', cell: ({ current }) => (current ? 'yes' : undefined) },
    ],
    look,
  );
}
