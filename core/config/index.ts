/** The door of this room: YAML files in, one validated desired state out. */
export { catalogPath } from './catalog-address.ts';
export { type DiagnosticCode, diagnosticCodes } from './diagnostic-codes.ts';
export { type LoadOptions, loadConfiguration } from './load.ts';
export { parseMaxUnused } from './max-unused.ts';
export { planSettings, sourcePaths, timetableSettings } from './plan-settings.ts';
export { readDaemonSettings } from './read-daemon.ts';
export { configurationReference } from './reference.ts';
export { references } from './references.ts';
export { assembleSchema, type DescribedDriver, type DescribedDrivers } from './schema.ts';
export { makeSecretResolver, type SecretSurroundings } from './secrets.ts';
export * from './types.ts';
