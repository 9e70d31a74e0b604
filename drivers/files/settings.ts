/** The settings of a source `files`. */
export interface FileSettings {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
}

/** Of settings that the schema has accepted. */
export function fileSettings(settings: Readonly<Record<string, unknown>>): FileSettings {
  return {
    paths: settings.paths as string[],
    exclude: (settings.exclude as string[] | undefined) ?? [],
    oneFileSystem: settings.oneFileSystem === true,
  };
}
