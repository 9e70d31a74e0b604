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
      { title: 'CREATED', cell: ({ created }) => created && formatTime(created) },
      { title: 'BY', minor: true, cell: (key) => key.username && printable(`${key.username}@${key.hostname}`) },
      { title: 'IN USE', cell: ({ current }) => (current ? 'yes' : undefined) },
      { title: 'STATE', cell: ({ state }) => state },
    ],
    look,
  );
}

/** What is wrong with keys, and what to do. */
export function keyWarnings(destination: string, keys: readonly Key[]): [summary: string, hint: string][] {
  return keys.flatMap(({ id, state, cost }): [string, string][] => {
    const key = id.slice(0, 8);
    const remove = `\`tidemark key remove ${destination} ${key}\``;
    if (state === 'damaged')
      return [
        [
          `key ${key} is damaged: it opens with no password`,
          `Bring keys/${id} back from a copy of the repository, or take it away: ${remove}.`,
        ],
      ];
    if (state === 'good' || cost === undefined) return [];
    const { N, r, p } = cost;
    return [
      [
        `key ${key} is weak: whoever has its file tries passwords cheaply (scrypt N ${N}, r ${r}, p ${p})`,
        `Make a strong key for the same password with \`tidemark key add ${destination}\`, then ${remove}.`,
      ],
    ];
  });
}
