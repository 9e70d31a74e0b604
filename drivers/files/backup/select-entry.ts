import type { PathPatterns } from '../pattern.ts';
import type { FileStat } from '../system/stat.ts';

interface Patterns {
  readonly exclude: PathPatterns;
  /** Absent: everything. */
  readonly include?: PathPatterns;
}

/** The folder that an entry is in, see `FolderTask`. */
interface Around {
  readonly included: boolean;
  readonly only?: readonly string[];
  readonly onlyDevice?: bigint;
}

type Seen = Pick<FileStat, 'type' | 'deviceId'>;

export interface Selected<Stat extends Seen = FileStat> {
  readonly stat: Stat;
  /** False for a folder that only something below may be selected of. */
  readonly included: boolean;
  /** Of a folder: on another file system, which is not to be entered. */
  readonly isElsewhere: boolean;
}

/** What belongs into a backup, for the walk and for the second look alike. `see` is not called for what is excluded. */
export function select<Stat extends Seen>(
  { exclude, include }: Patterns,
  around: Around,
  path: string,
  name: string,
  see: () => Stat,
): Selected<Stat> | undefined {
  if (!around.only && exclude.matches(path, name)) return undefined;
  const stat = see();
  const included = !include || around.included || include.matches(path, name);
  const isElsewhere = around.onlyDevice !== undefined && stat.deviceId !== around.onlyDevice;
  const isSelected = stat.type === 'dir' ? included || include.mayMatchBelow(path) : included && !isElsewhere;
  return isSelected ? { stat, included, isElsewhere } : undefined;
}
