import { hash } from 'node:crypto';
import type { Action, ChangeSet } from './change-set.ts';

/** SHA-256 over what `apply` would do and to which applied state; words and times are no part of it. */
export function fingerprintOf(changeSet: Pick<ChangeSet, 'lineage' | 'serial' | 'actions'>): string {
  const { lineage, serial, actions } = changeSet;
  return hash('sha256', JSON.stringify(sorted({ lineage, serial, actions: actions.map(deed) })));
}

function deed({ kind, address, renamedFrom, spec }: Action): unknown {
  return { kind, address, renamedFrom, spec };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, member]) => [key, sorted(member)]);
}
