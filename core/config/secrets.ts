import { join } from 'node:path';
import { TidemarkError } from '../error.ts';
import { nearest } from '../nearest.ts';
import { readRegularFile } from '../regular-file.ts';
import { Secret, type SecretResolver } from '../secret.ts';

export interface SecretSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** systemd's CREDENTIALS_DIRECTORY, when it gave one. */
  readonly credentialsDirectory?: string;
}

/** Whether a text is a reference as a whole: `${env:NAME}`, `${file:/path}`, `${credential:NAME}`. */
export function isReference(text: string): boolean {
  return parseReference(text) !== undefined;
}

/** Whether a reference stands anywhere in a text, well-formed or not, or something that was meant to be one. */
export function mentionsReference(text: string): boolean {
  return kindIn(text) !== undefined;
}

/** What to write instead of a text that is no reference. Says nothing of the text but which kind was meant. */
export function referenceHint(text: string): string {
  const kind = kindIn(text);
  if (kind === undefined) return `Write where the secret is: ${forms.file}, ${forms.env} or ${forms.credential}.`;
  if (!/^\$\{\w+:[^{}]*\}$/.test(text))
    return `The whole value must be the reference, and nothing else: ${forms[kind]}.`;
  const rule = kind === 'file' ? 'with the whole path, beginning with /' : 'with letters, digits and underscores';
  return text.startsWith(`\${${kind}:`) ? `Write ${forms[kind]}, ${rule}.` : `Did you mean ${forms[kind]}?`;
}

const forms = {
  file: '`${file:/path}`',
  env: '`${env:NAME}`',
  credential: '`${credential:NAME}`',
} as const;

function kindIn(text: string): Reference['kind'] | undefined {
  const word = /\$\{\s*([A-Za-z]+)\s*:/.exec(text)?.[1];
  return word === undefined ? undefined : (nearest(word, Object.keys(forms)) as Reference['kind'] | undefined);
}

/**
 * Makes the resolver that everyone else is handed. Each call looks again, so a secret may be replaced while tidemark
 * runs. What of a file's bytes counts is for its use to say. Errors name the reference, never the secret.
 */
export function makeSecretResolver(surroundings: SecretSurroundings): SecretResolver {
  return async (text) => {
    const reference = parseReference(text);
    if (reference === undefined) throw unreadable('this is not a reference to a secret', referenceHint(text));
    if (reference.kind === 'env') return fromEnvironment(reference.name, surroundings);
    if (reference.kind === 'credential') return fromCredential(reference.name, surroundings);
    return fromFile(reference.name, text);
  };
}

interface Reference {
  readonly kind: 'env' | 'file' | 'credential';
  readonly name: string;
}

const kinds: readonly (readonly [Reference['kind'], RegExp])[] = [
  ['env', /^\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}$/],
  ['file', /^\$\{file:(\/[^{}\0]*)\}$/],
  ['credential', /^\$\{credential:([A-Za-z0-9_-][A-Za-z0-9._-]*)\}$/],
];

function parseReference(text: string): Reference | undefined {
  for (const [kind, pattern] of kinds) {
    const match = pattern.exec(text);
    if (match) return { kind, name: match[1]! };
  }
  return undefined;
}

function fromEnvironment(name: string, { env }: SecretSurroundings): Secret {
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text?.includes('\ufffd')) throw unreadable(`environment variable \`${name}\` is not text`, 'Put it into a file.');
  if (text) return new Secret(text);
  const state = text === undefined ? 'is not set' : 'is empty';
  throw unreadable(`environment variable \`${name}\` ${state}`, 'Set it for the process that runs tidemark.');
}

function fromCredential(name: string, { credentialsDirectory }: SecretSurroundings): Promise<Secret> {
  const hint = `Add LoadCredential=${name}:/path to the systemd unit.`;
  if (!credentialsDirectory) throw unreadable(`no credentials were given, so not \`${name}\` either`, hint);
  return fromFile(join(credentialsDirectory, name), `credential \`${name}\``, hint);
}

async function fromFile(path: string, shown: string, hint?: string): Promise<Secret> {
  const { bytes, ...problem } = await readRegularFile(path, 1024 * 1024);
  if (bytes === undefined) {
    const advice = problem.isOther
      ? 'Write the secret into a regular file: pipes, devices and folders are not read.'
      : hint;
    throw unreadable(`${shown} cannot be read: ${problem.unreadable}`, advice, problem.cause);
  }
  if (/^[\r\n]*$/.test(bytes.toString('latin1')))
    throw unreadable(`${shown} is empty`, 'Write the secret into the file.');
  return new Secret(bytes);
}

function unreadable(message: string, hint?: string, cause?: unknown): TidemarkError {
  const advice = hint ?? 'Make the file, readable for the user that runs tidemark, and for nobody else.';
  return new TidemarkError('SECRET_UNREADABLE', message, { hint: advice, cause });
}
