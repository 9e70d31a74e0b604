import type { Resource } from '../config/index.ts';

export type Spec = Readonly<Record<string, unknown>>;

/**
 * A spec as it is applied and compared: as JSON has it, without `renamedFrom`, which tells of a way to the state and is
 * no part of it. So the line may stay in the file after the rename or be deleted, and nothing changes.
 */
export function settledSpec(resource: Resource): Spec {
  const { renamedFrom: _, ...spec } = resource.spec;
  return JSON.parse(JSON.stringify(spec)) as Spec;
}

export function stringIn(spec: Spec, field: string): string | undefined {
  const value = spec[field];
  return typeof value === 'string' ? value : undefined;
}

export function stringsIn(spec: Spec, field: string): readonly string[] {
  const value = spec[field];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
