import { relative } from 'node:path';
import type { Diagnostic, Position } from '../../core/diagnostic.ts';
import type { TidemarkError } from '../../core/error.ts';
import { brief, type Look, paint, printable } from './look.ts';
import { count } from './words.ts';

/** `error CODE: text`, `  at subject`, `  hint: …`, each on a line. */
export function errorText(error: TidemarkError, look: Look): string {
  const head = `${paint(look, ['red', 'bold'], 'error')} ${error.code}: ${brief(error.message)}`;
  const subject = error.subject === undefined ? [] : [`  at ${brief(error.subject)}`];
  return [head, ...subject, ...hintLines(error.hint), ...stackLines(error)].map((line) => `${line}\n`).join('');
}

/** The first of them, errors before warnings where there are more, and how many there are. */
export function diagnosticsText(all: readonly Diagnostic[], cwd: string, look: Look): string {
  if (all.length <= mostDiagnostics) return all.map((one) => diagnosticText(one, cwd, look)).join('');
  const bySeverity = all.toSorted((a, b) => Number(a.severity !== 'error') - Number(b.severity !== 'error'));
  const shown = bySeverity.slice(0, mostDiagnostics).map((one) => diagnosticText(one, cwd, look));
  return `${shown.join('')}and ${count(all.length - mostDiagnostics, 'more', 'more')}; \`--json\` gives all of them\n`;
}

const mostDiagnostics = 50;

/** `file:line:column: error: text` and its hint. Files below the current folder are shown from there. */
function diagnosticText({ severity, summary, hint, position }: Diagnostic, cwd: string, look: Look): string {
  const word = paint(look, severity === 'error' ? ['red', 'bold'] : ['yellow', 'bold'], severity);
  const place = position === undefined ? '' : `${positionText(position, cwd)}: `;
  return [`${place}${word}: ${brief(summary)}`, ...hintLines(hint)].map((line) => `${line}\n`).join('');
}

function positionText({ file, line, column }: Position, cwd: string): string {
  const near = relative(cwd, file);
  return `${printable(near.startsWith('..') ? file : near)}:${line}:${column}`;
}

/** `warning: text` and its hint. */
export function warningText(summary: string, look: Look, hint?: string): string {
  const line = `${paint(look, ['yellow', 'bold'], 'warning')}: ${brief(summary)}`;
  return [line, ...hintLines(hint)].map((one) => `${one}\n`).join('');
}

/** The JSON of an error: see `docs/reference/json.md`. */
export function errorJson(error: TidemarkError) {
  const { code, kind, message, subject, hint } = error;
  return { code, kind, message, subject, hint };
}

function hintLines(hint: string | undefined): string[] {
  return hint === undefined ? [] : [`  hint: ${brief(hint)}`];
}

/** A defect is shown with its place, so that a report of it helps. */
function stackLines(error: TidemarkError): string[] {
  if (error.code !== 'BUG') return [];
  const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
  return (stack ?? '').split('\n').map((line) => `  ${printable(line)}`);
}
