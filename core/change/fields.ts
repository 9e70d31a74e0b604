import { isDeepStrictEqual } from 'node:util';
import type { FieldChange } from './change-set.ts';

type Path = readonly (string | number)[];

/**
 * The fields in which two specs differ, by name. Objects are compared field by field and lists of objects by place;
 * other lists are one value, because an element more or less would otherwise show as a change of all that follow.
 */
export function diffFields(before: unknown, after: unknown, path: Path = []): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const keys = comparableKeys(before, after);
  if (keys === undefined) return [fieldChange(path, before, after)];
  return keys.flatMap((key) => diffFields(member(before, key), member(after, key), [...path, key]));
}

/** Top-level fields that change nothing about what a resource is and does. */
export const passiveFields: ReadonlySet<string> = new Set(['labels', 'onRemove']);

/** The names of the top-level fields that differ. */
export function changedFields(fields: readonly FieldChange[]): ReadonlySet<string> {
  return new Set(fields.map(({ path }) => String(path[0])));
}

function comparableKeys(before: unknown, after: unknown): readonly (string | number)[] | undefined {
  if (isPlainObject(before) && isPlainObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  }
  if (isObjectList(before) && isObjectList(after)) {
    return [...(before.length > after.length ? before : after).keys()];
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectList(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.length > 0 && value.every(isPlainObject);
}

/** Own members only: a field may be called `constructor`. */
function member(value: unknown, key: string | number): unknown {
  return Object.hasOwn(value as object, key) ? (value as Record<string | number, unknown>)[key] : undefined;
}

function fieldChange(path: Path, before: unknown, after: unknown): FieldChange {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
