import type { JobUse } from './catalog.ts';

/** What a source or a destination is by its own word (`AppliedResource.identity`), by its address. */
export type Identities = ReadonlyMap<string, string>;

/**
 * The one rule of what excludes what, across kinds: two jobs do not run at a time when they touch the same thing and one
 * of them writes it. Gives what `other` does to that thing; undefined when they may run side by side. Two addresses of
 * one identity are the same thing, and a folder is the same thing as everything below it.
 */
export function clash(one: readonly JobUse[], other: readonly JobUse[], identities: Identities): JobUse | undefined {
  return other.find((theirs) =>
    one.some(
      (ours) =>
        (ours.mode === 'write' || theirs.mode === 'write') &&
        overlap(canonical(ours.thing, identities), canonical(theirs.thing, identities)),
    ),
  );
}

/** The use as it stands after a rename of a resource. */
export function renamedUse({ thing, mode }: JobUse, from: string, to: string): JobUse {
  if (thing === from) return { thing: to, mode };
  return { thing: thing.endsWith(`:${from}`) ? `${thing.slice(0, -from.length)}${to}` : thing, mode };
}

function canonical(thing: string, identities: Identities): string {
  const prefix = thing.startsWith(space) ? space : '';
  const identity = identities.get(thing.slice(prefix.length));
  return identity === undefined ? thing : `${prefix}identity:${identity}`;
}

/** Two destinations may be one repository, by two paths. */
const space = 'space:';

function overlap(one: string, other: string): boolean {
  return one === other || holds(one, other) || holds(other, one);
}

function holds(folder: string, thing: string): boolean {
  return folder.startsWith('folder:') && thing.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
