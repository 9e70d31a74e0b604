import { type Collection, type Resource, references } from '../config/index.ts';
import type { HistoryKey } from '../retention/index.ts';
import type { Observed } from './observed.ts';
import type { Spec } from './spec.ts';

type Resources = ReadonlyMap<string, Resource>;

/** New address to old address, for what `renamedFrom` moves: the old one is applied and gone from the files, the new one is not applied yet. */
export function findRenames(desired: Resources, applied: Resources): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  const taken = new Set<string>();
  for (const { address, collection, spec } of desired.values()) {
    if (typeof spec.renamedFrom !== 'string') continue;
    const old = `${collection}.${spec.renamedFrom}`;
    if (applied.has(address) || !applied.has(old) || desired.has(old) || taken.has(old)) continue;
    renames.set(address, old);
    taken.add(old);
  }
  return renames;
}

/** The applied resources as they would be with the renames done and nothing else, references included. */
export function renameResources(applied: Resources, renames: ReadonlyMap<string, string>): Resources {
  const newName = newNames(renames);
  const moved = [...applied.values()].map((resource) => {
    const name = newName(resource.collection, resource.name);
    const address = `${resource.collection}.${name}`;
    return { ...resource, name, address, spec: renameReferences(resource, newName) };
  });
  return new Map(moved.map((resource) => [resource.address, resource]));
}

export function renameObserved(observed: Observed, renames: ReadonlyMap<string, string>): Observed {
  const newName = newNames(renames);
  const renamed = <T extends HistoryKey>(one: T): T => ({
    ...one,
    plan: newName('plans', one.plan),
    source: newName('sources', one.source),
    destination: newName('destinations', one.destination),
  });
  return {
    backups: observed.backups.map(renamed),
    copies: observed.copies.map(renamed),
    plans: observed.plans.map((status) => ({ ...status, plan: newName('plans', status.plan) })),
  };
}

type NewName = (collection: Collection, name: string) => string;

function newNames(renames: ReadonlyMap<string, string>): NewName {
  const nameOf = (address: string) => address.slice(address.indexOf('.') + 1);
  const byOld = new Map([...renames].map(([address, old]) => [old, nameOf(address)]));
  return (collection, name) => byOld.get(`${collection}.${name}`) ?? name;
}

function renameReferences({ collection, spec }: Resource, newName: NewName): Spec {
  const renamed: Record<string, unknown> = { ...spec };
  for (const [field, target] of Object.entries(references[collection] ?? {})) {
    const value = spec[field];
    if (typeof value === 'string') renamed[field] = newName(target, value);
    if (Array.isArray(value))
      renamed[field] = value.map((name) => (typeof name === 'string' ? newName(target, name) : name));
  }
  return renamed;
}
