import { relative } from 'node:path';
import type { Diagnostic, Position } from '../../core/diagnostic.ts';
import type { TidemarkError } from '../../core/error.ts';
import { type Look, paint, printable } from './look.ts';

/** `error CODE: text`, `  at subject`, `  hint: …`, each on a line. */
export function errorText(error: TidemarkError, look: Look): string {
  const head = `${paint(look, ['red', 'bold'], 'error')} ${error.code}: ${printable(error.message)}`;
  const subject = error.subject === undefined ? [] : [`  at ${printable(error.subject)}`];
  return [head, ...subject, ...hintLines(error.hint), ...stackLines(error)].map((line) => `${line}\n`).join('');
}

/** `file:line:column: error: text` and its hint. Files below the current folder are shown from there. */
export function diagnosticText({ severity, summary, hint, position }: Diagnostic, cwd: string, look: Look): string {
  const word = paint(look, severity === 'error' ? ['red', 'bold'] : ['yellow', 'bold'], severity);
  const place = position === undefined ? '' : `${positionText(position, cwd)}: `;
  return [`${place}${word}: ${printable(summary)}`, ...hintLines(hint)].map((line) => `${line}\n`).join('');
}

export function positionText({ file, line, column }: Position, cwd: string): string {
  const near = relative(cwd, file);
  return `${printable(near.startsWith('..') ? file : near)}:${line}:${column}`;
}

/** `warning: text` and its hint. */
export function warningText(summary: string, look: Look, hint?: string): string {
  const line = `${paint(look, ['yellow', 'bold'], 'warning')}: ${printable(summary)}`;
  return [line, ...hintLines(hint)].map((one) => `${one}\n`).join('');
}

/** The JSON of an error: see `docs/reference/json.md`. */
export function errorJson(error: TidemarkError) {
  const { code, kind, message, subject, hint } = error;
  return { code, kind, message, subject, hint };
}

function hintLines(hint: string | undefined): string[] {
  return hint === undefined ? [] : [`  hint: ${printable(hint)}`];
}

/** A defect is shown with its place, so that a report of it helps. */
function stackLines(error: TidemarkError): string[] {
  if (error.code !== 'BUG') return [];
  const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
  return (stack ?? '').split('\n').map((line) => `  ${printable(line)}`);
}
