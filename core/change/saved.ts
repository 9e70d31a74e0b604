import { TidemarkError } from '../error.ts';
import { type Action, actionKinds, type ChangeSet } from './change-set.ts';

/** A saved change set: the text of `tidemark plan --out`. */
export function encodeChangeSet(changeSet: ChangeSet): string {
  return `${JSON.stringify(changeSet, undefined, 2)}\n`;
}

/** Throws CONFIG_INVALID when `text` is no change set; `apply` finds out whether it still fits and was not edited. */
export function parseChangeSet(text: string): ChangeSet {
  const value = parseJson(text);
  if (!isRecord(value) || typeof value.format !== 'number') throw invalid('is not a change set');
  if (value.format !== 1) throw invalid(`has format ${value.format}, this version reads format 1`);
  if (!isChangeSet(value)) throw invalid('is not a complete change set');
  return value as unknown as ChangeSet;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('is not JSON');
  }
}

function isChangeSet(value: Record<string, unknown>): boolean {
  const { lineage, serial, createdAt, fingerprint, actions, summary } = value;
  const texts = [lineage, createdAt, fingerprint].every((field) => typeof field === 'string');
  return texts && Number.isInteger(serial) && isRecord(summary) && Array.isArray(actions) && actions.every(isAction);
}

function isAction(value: unknown): value is Action {
  if (!isRecord(value)) return false;
  const { kind, address, reason, fields, consequences, spec } = value;
  const applicable = kind === 'add' || kind === 'change';
  return (
    actionKinds.includes(kind as Action['kind']) &&
    typeof address === 'string' &&
    address.includes('.') &&
    typeof reason === 'string' &&
    Array.isArray(fields) &&
    Array.isArray(consequences) &&
    (applicable ? isRecord(spec) : spec === undefined)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(text: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `the saved change set ${text}`, {
    hint: 'Save one with `tidemark plan --out FILE`.',
  });
}
