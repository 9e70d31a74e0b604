/** The settings of a source `files`. */
export interface FileSettings {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  /** Every path must be on another file system than `/`. */
  readonly requireMount: boolean;
  /** A path that held something in an earlier backup may hold nothing now. */
  readonly mayBeEmpty: boolean;
}

/** Of settings that the schema has accepted. */
export function fileSettings(settings: Readonly<Record<string, unknown>>): FileSettings {
  return {
    paths: settings.paths as string[],
    exclude: (settings.exclude as string[] | undefined) ?? [],
    oneFileSystem: settings.oneFileSystem === true,
    requireMount: settings.requireMount === true,
    mayBeEmpty: settings.mayBeEmpty === true,
  };
}
