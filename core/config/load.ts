import { setImmediate } from 'node:timers/promises';
import { type Diagnostic, hasErrors } from '../diagnostic.ts';
import { asTidemarkError } from '../error.ts';
import type { SecretResolver } from '../secret.ts';
import { daemonSettings } from './daemon.ts';
import { declare } from './declare.ts';
import type { Declared } from './declared.ts';
import type { Finding } from './explain.ts';
import { configurationFiles, readYamlFiles } from './files.ts';
import { makeReferenceCheck, type Spec } from './references.ts';
import { secretFields } from './secret-fields.ts';
import type { Configuration, Drivers, LoadedConfiguration, Resource } from './types.ts';
import type { Validated } from './validate.ts';

export interface LoadOptions {
  /** Every reference is resolved once to see that it can be. Without it, references are only checked for their form. */
  readonly secrets?: SecretResolver;
}

/**
 * Reads the file or folder at `path` and says everything that is wrong with it, in the order of the files. Gives a
 * configuration only when nothing is. Throws CONFIG_NOT_FOUND; what is wrong inside never throws.
 */
export async function loadConfiguration(
  path: string,
  drivers: Drivers,
  options: LoadOptions = {},
): Promise<LoadedConfiguration> {
  const { folder, files } = await configurationFiles(path);
  const parsed = await readYamlFiles(files);
  const { declared, diagnostics: misdeclared } = declare(parsed.flatMap((file) => file.documents));
  const diagnostics = [
    ...parsed.flatMap((file) => file.diagnostics),
    ...misdeclared,
    ...(await checkAll(declared, drivers, options)),
  ];
  const complete = parsed.every((file) => file.diagnostics.length === 0);
  const said = inOrder(complete ? diagnostics : diagnostics.filter((one) => one.code !== 'dangling-reference'), files);
  return { configuration: hasErrors(said) ? undefined : configurationOf(declared, folder), diagnostics: said, files };
}

async function checkAll(
  declared: ReadonlyMap<string, Declared>,
  drivers: Drivers,
  { secrets }: LoadOptions,
): Promise<Diagnostic[]> {
  const { makeValidator } = await import('./validate.ts'); // Ajv takes time to load that only this needs
  const validate = makeValidator(drivers);
  const checkReferences = makeReferenceCheck(declared, drivers);
  const diagnostics: Diagnostic[] = [];
  for (const [at, one] of [...declared.values()].entries()) {
    if (at % betweenSignals === 0) await setImmediate();
    const validated = validate(one);
    const unreadable = secrets ? await unreadableSecrets(one, validated, secrets) : [];
    const findings = [...validated.findings, ...checkReferences(one), ...unreadable];
    diagnostics.push(...findings.map((finding) => diagnosticOf(one, finding)));
  }
  return diagnostics;
}

/** After so many resources, signals to end come in. */
const betweenSignals = 256;

async function unreadableSecrets(
  { value }: Declared,
  { schema }: Validated,
  secrets: SecretResolver,
): Promise<Finding[]> {
  const fields = schema ? secretFields(schema, value) : [];
  const findings = await Promise.all(
    fields.map(async ({ path, reference }): Promise<Finding | undefined> => {
      const error = await secrets(reference).then(() => undefined, asTidemarkError);
      return error && { code: 'unreadable-secret', summary: error.message, hint: error.hint, path, part: 'value' };
    }),
  );
  return findings.filter((finding) => finding !== undefined);
}

function diagnosticOf(one: Declared, { code, summary, hint, path, part }: Finding): Diagnostic {
  return {
    severity: 'error',
    code,
    summary: `${one.address}: ${summary}`,
    hint,
    position: one.place(path, part),
  };
}

function inOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const rank = ({ position }: Diagnostic) => (position ? files.indexOf(position.file) : -1);
  return diagnostics.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0),
  );
}

function configurationOf(declared: ReadonlyMap<string, Declared>, folder: string): Configuration {
  const resources = new Map<string, Resource>();
  for (const { address, collection, name, value } of declared.values()) {
    if (collection !== 'daemon') resources.set(address, { address, collection, name, spec: value as Spec });
  }
  return {
    resources,
    daemon: daemonSettings((declared.get('daemon')?.value ?? {}) as Spec, folder),
    position: (address, path = []) => declared.get(address)?.place(path, 'key'),
  };
}
