import { backupTypes, type SourceDriver } from '../driver/index.ts';
import { nearest } from '../nearest.ts';
import type { Declared } from './declared.ts';
import { choices, type Finding, fieldName } from './explain.ts';
import type { Collection, Drivers } from './types.ts';
import { furtherDestinations } from './unsupported.ts';
import type { Path } from './yaml-document.ts';

export type Spec = Readonly<Record<string, unknown>>;

/** Finds what is wrong between resources. Says nothing of values that the schema refuses anyway. */
export function makeReferenceCheck(declared: ReadonlyMap<string, Declared>, drivers: Drivers) {
  const names = namesByCollection(declared);
  const renames = new Map<string, string>();
  return (one: Declared): Finding[] => {
    const spec = specOf(one);
    if (spec === undefined || one.collection === 'daemon') return [];
    return [
      ...danglingReferences(spec, one.collection, names),
      ...renameProblems(one, spec, declared, renames),
      ...(one.collection === 'plans' ? planProblems(spec, driverOf(spec, declared, drivers)) : []),
    ];
  };
}

/** The fields that name other resources, by collection, and what they name. */
export const references: Readonly<Partial<Record<Collection, Readonly<Record<string, Collection>>>>> = {
  plans: { source: 'sources', destinations: 'destinations', retention: 'retention' },
};

function danglingReferences(spec: Spec, collection: Collection, names: NamesByCollection): Finding[] {
  const fields = Object.entries(references[collection] ?? {});
  return fields.flatMap(([field, target]) => {
    const known = names.get(target) ?? [];
    const named = namesIn(spec, field).filter(({ name }) => !known.includes(name));
    return named.map(({ path, name }) => dangling(path, name, target, known));
  });
}

function namesIn(spec: Spec, field: string): { path: Path; name: string }[] {
  const value = spec[field];
  if (typeof value === 'string') return [{ path: [field], name: value }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((name, at) => (typeof name === 'string' ? [{ path: [field, at], name }] : []));
}

function dangling(path: Path, name: string, target: Collection, known: readonly string[]): Finding {
  const near = nearest(name, known);
  const others = known.length > 0 ? `Known: ${choices(known)}.` : `There is nothing under \`${target}\`.`;
  return {
    code: 'dangling-reference',
    summary: `\`${fieldName(path)}\` names \`${name}\`, but there is no \`${target}.${name}\``,
    hint: near ? `Did you mean \`${near}\`?` : others,
    path,
    part: 'value',
  };
}

function renameProblems(
  one: Declared,
  spec: Spec,
  declared: ReadonlyMap<string, Declared>,
  renames: Map<string, string>,
): Finding[] {
  if (typeof spec.renamedFrom !== 'string') return [];
  const old = `${one.collection}.${spec.renamedFrom}`;
  const other = declared.has(old) ? old : renames.get(old);
  renames.set(old, one.address);
  if (other === undefined) return [];
  const summary = other === old ? `\`${old}\` still exists` : `\`${other}\` is renamed from \`${old}\` too`;
  const hint = 'A resource can take over the state of one that is gone, and only one can.';
  return [{ code: 'rename-conflict', summary, hint, path: ['renamedFrom'], part: 'value' }];
}

function planProblems(spec: Spec, driver: SourceDriver | undefined): Finding[] {
  const findings = [furtherDestinations(spec), ...(driver ? [typeProblem(spec, driver)] : [])];
  if (driver?.capabilities.selection === 'none') findings.push(...selectionProblems(spec, driver));
  return findings.filter((finding) => finding !== undefined);
}

function typeProblem(spec: Spec, { kind, capabilities }: SourceDriver): Finding | undefined {
  const type = backupTypes.find((one) => one === spec.type);
  const offered = capabilities.backupTypes;
  if (type === undefined || offered.includes(type)) return undefined;
  const summary = `driver \`${kind}\` has no backups of type \`${type}\` in this version`;
  return { code: 'unsupported-type', summary, hint: `Use ${choices(offered)}.`, path: ['type'], part: 'value' };
}

function selectionProblems(spec: Spec, { kind }: SourceDriver): Finding[] {
  const used = ['include', 'exclude'].filter((field) => Object.hasOwn(spec, field));
  return used.map((field) => ({
    code: 'unsupported-selection',
    summary: `driver \`${kind}\` backs up the whole source and knows no \`${field}\``,
    hint: `Remove \`${field}\`.`,
    path: [field],
    part: 'key',
  }));
}

function driverOf(spec: Spec, declared: ReadonlyMap<string, Declared>, drivers: Drivers): SourceDriver | undefined {
  const source = typeof spec.source === 'string' ? declared.get(`sources.${spec.source}`) : undefined;
  const kind = source && specOf(source)?.driver;
  return drivers.sources.find((driver) => driver.kind === kind);
}

type NamesByCollection = ReadonlyMap<Declared['collection'], readonly string[]>;

function namesByCollection(declared: ReadonlyMap<string, Declared>): NamesByCollection {
  const all = Map.groupBy(declared.values(), (one) => one.collection);
  return new Map([...all].map(([collection, list]) => [collection, list.map((one) => one.name)]));
}

function specOf({ value }: Declared): Spec | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Spec) : undefined;
}
