import type { Diagnostic } from '../core/diagnostic.ts';
import { asTidemarkError, TidemarkError } from '../core/error.ts';
import { exitCodes } from '../core/error-codes.ts';
import { probeErrors } from '../core/probe-errors.ts';
import type { Globals, Stream, Surroundings } from './surroundings.ts';
import { diagnosticsText, errorJson, errorText, warningText } from './views/errors.ts';
import type { Look } from './views/look.ts';

/** Where a verb says what it has to say: results on stdout, everything else on stderr. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** How results look. */
  readonly look: Look;
  /** How messages and progress look. */
  readonly messageLook: Look;
  /** Progress may be drawn over itself. */
  readonly isLive: boolean;
  /** The result: `text` for people, or `value` with `--json`. Once per run. */
  result(text: string | (() => string), value: unknown): void;
  /** Text on stdout as it is, whatever the options. */
  raw(text: string): void;
  /** A message for people; not with `--quiet` or `--json`. */
  say(text: string): void;
  warn(summary: string, hint?: string): void;
  diagnostics(diagnostics: readonly Diagnostic[]): void;
  /** Text on stderr as it is. */
  draw(text: string): void;
  /** Shows why the verb failed and gives its exit code. */
  fail(thrown: unknown): number;
}

export function openOutput(surroundings: Surroundings, globals: Globals): Output {
  const { stdout, stderr, cwd } = surroundings;
  const look = lookOf(stdout, surroundings, globals);
  const messageLook = lookOf(stderr, surroundings, globals);
  const { json, quiet } = globals;
  const draw = (text: string) => void stderr.write(text);
  const raw = (text: string) => void stdout.write(text);
  const diagnostics = (all: readonly Diagnostic[]) => draw(diagnosticsText(all, cwd, messageLook));
  return {
    json,
    quiet,
    look,
    messageLook,
    isLive: stderr.isTTY === true && !quiet && surroundings.env.TERM !== 'dumb',
    result: (text, value) => raw(json ? `${JSON.stringify(value, undefined, 2)}\n` : textOf(text)),
    raw,
    say: (text) => {
      if (!json && !quiet) draw(text);
    },
    warn: (summary, hint) => draw(warningText(summary, messageLook, hint)),
    diagnostics,
    draw,
    fail: (thrown) => {
      const error = asTidemarkError(thrown);
      if (json) raw(`${JSON.stringify(failureJson(error), undefined, 2)}\n`);
      else showFailure(error, diagnostics, (one) => draw(errorText(one, messageLook)));
      return exitCodes[error.kind];
    },
  };
}

/** The error for a configuration with mistakes; `fail` shows each of them. */
export function invalidConfiguration(diagnostics: readonly Diagnostic[]): TidemarkError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return new TidemarkError('CONFIG_INVALID', `the configuration has ${errors} ${errors === 1 ? 'error' : 'errors'}`, {
    cause: diagnostics,
  });
}

/** What was to be on stdout is not there, or not all of it. */
export function outputUnwritable(cause: NodeJS.ErrnoException): TidemarkError {
  return new TidemarkError('OUTPUT_UNWRITABLE', `what was printed could not be written to stdout: ${cause.message}`, {
    hint: 'What the command did is done, what it said is lost. Free space where stdout goes, and ask again.',
    cause,
  });
}

function lookOf(stream: Stream, { env, clock }: Surroundings, { color }: Globals): Look {
  const colour = color && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const columns = stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY;
  return { colour, columns, now: clock.now() };
}

function textOf(text: string | (() => string)): string {
  return typeof text === 'string' ? text : text();
}

function diagnosticsOf(error: TidemarkError): readonly Diagnostic[] {
  return error.code === 'CONFIG_INVALID' && Array.isArray(error.cause) ? error.cause : [];
}

function failureJson(error: TidemarkError): unknown {
  const diagnostics = diagnosticsOf(error);
  const several = probeErrors(error);
  return {
    error: errorJson(error),
    ...(diagnostics.length > 0 ? { diagnostics } : {}),
    ...(several.length > 1 ? { errors: several.map(errorJson) } : {}),
  };
}

function showFailure(
  error: TidemarkError,
  showDiagnostics: (all: readonly Diagnostic[]) => void,
  showError: (error: TidemarkError) => void,
): void {
  const several = probeErrors(error);
  if (several.length > 1) for (const one of several) showError(one);
  showDiagnostics(diagnosticsOf(error));
  showError(error);
}
