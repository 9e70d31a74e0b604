import type { Position } from '../diagnostic.ts';

export type Path = readonly (string | number)[];

/** Where the field at `path` stands: its key, or its value. The nearest enclosing place when there is no such field. */
export type Place = (path: Path, part: 'key' | 'value') => Position;

export interface YamlDocument {
  readonly value: unknown;
  readonly place: Place;
}
