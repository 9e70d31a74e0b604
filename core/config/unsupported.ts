import type { Declared } from './declared.ts';
import { type Finding, fieldName } from './explain.ts';

/** The same finding, or a clearer one where the key is one that tidemark knows but this version cannot honour. */
export function unsupported(collection: Declared['collection'], finding: Finding): Finding {
  const key = String(finding.path.at(-1));
  const known = finding.code === 'unknown-key' && finding.path.length === 1 && laterKeys[collection]?.includes(key);
  return known ? notYet(fieldName(finding.path), finding) : finding;
}

/** Copies come with the work on further destinations; writing only the first would look like having them. */
export function furtherDestinations(spec: Readonly<Record<string, unknown>>): Finding | undefined {
  if (!Array.isArray(spec.destinations) || spec.destinations.length < 2) return undefined;
  return {
    code: 'not-yet',
    summary: 'copies to further destinations are not supported by this version',
    hint: 'Keep one destination, and add a plan for each further one.',
    path: ['destinations', 1],
    part: 'value',
  };
}

/** What a top-level key stands for that tidemark knows, but this version cannot do. */
export function laterCollection(key: string): { readonly summary: string; readonly hint: string } | undefined {
  const lacks = laterCollections.get(key);
  return lacks === undefined
    ? undefined
    : { summary: `\`${key}\` are not supported by this version: ${lacks}`, hint: removeIt };
}

const laterCollections: ReadonlyMap<string, string> = new Map([
  ['gateways', 'nothing would go through them'],
  ['checks', 'nothing would run them'],
  ['notify', 'nobody would be told'],
  ['policies', 'nothing would enforce them'],
]);

const laterKeys: Readonly<Partial<Record<Declared['collection'], readonly string[]>>> = {
  sources: ['gateway', 'standby', 'physical', 'snapshot', 'cutover'],
  destinations: ['gateway', 'objectLock'],
  plans: ['startWhen', 'bandwidth', 'base', 'continuous', 'flush', 'every', 'synchronous', 'hooks'],
  daemon: ['runner'],
};

function notYet(field: string, finding: Finding): Finding {
  return {
    ...finding,
    code: 'not-yet',
    summary: `\`${field}\` is not supported by this version`,
    hint: removeIt,
  };
}

const removeIt = 'Remove it: tidemark does not pretend to do what it cannot.';
