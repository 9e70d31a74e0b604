import { type Census, type CensusEntry, keyOf, numberOf } from '../inventory/census.ts';
import type { TableEntry } from '../inventory/inventory.ts';

/**
 * Cuts what is read later into groups, each of which is held until it is read: whoever wants to change one of its tables
 * waits no longer than that. What is larger than a group, or of unknown size, is alone. But what has had one name is
 * together: read apart, tables that are swapped all the time would take each other's place. `census` says what is called
 * how now, `described` how large it is.
 */
export function holdGroups(
  wanted: readonly CensusEntry[],
  census: Census,
  described: readonly TableEntry[],
): CensusEntry[][] {
  const sizeOf = sizesOf(described);
  const groups: CensusEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const kin of kinsOf(wanted, census)) {
    const size = kin.reduce((sum, one) => sum + sizeOf(one), 0);
    const isFull = bytes + size > groupBytes || groups.at(-1)!.length + kin.length > groupTables;
    if (isFull) groups.push([]);
    groups.at(-1)!.push(...kin);
    bytes = isFull ? size : bytes + size;
  }
  return groups;
}

/** Some seconds each. */
const groupBytes = 256 * 1024 * 1024;
const groupTables = 256;

function sizesOf(described: readonly TableEntry[]): (entry: CensusEntry) => number {
  const sizes = new Map<string | number, number>();
  for (const table of described) {
    for (const id of [keyOf(table), ...table.spaces.map(numberOf)]) sizes.set(id, table.sizeBytesEstimate);
  }
  return (entry) => {
    const known = [...entry.spaces.map(numberOf), keyOf(entry)].flatMap((id) => sizes.get(id) ?? []);
    return known.length === 0 ? groupBytes : Math.max(...known);
  };
}

/** Those that have had one name, directly or through others. */
function kinsOf(wanted: readonly CensusEntry[], { entries, nameless }: Census): CensusEntry[][] {
  const now = new Map<number, string>();
  for (const one of [...entries.values(), ...nameless])
    for (const space of one.spaces) now.set(numberOf(space), keyOf(one));
  const namesOf = (one: CensusEntry) => [keyOf(one), ...one.spaces.flatMap((space) => now.get(numberOf(space)) ?? [])];
  const kins = new Map<string, Set<CensusEntry>>();
  for (const entry of wanted) {
    const kin = new Set([...namesOf(entry).flatMap((name) => [...(kins.get(name) ?? [])]), entry]);
    for (const name of [...kin].flatMap(namesOf)) kins.set(name, kin);
  }
  return [...new Set(kins.values())].map((kin) => [...kin]);
}
