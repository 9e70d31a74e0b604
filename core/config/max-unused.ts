import type { MaxUnused } from './types.ts';

/** `5%`, `2.5%`, `10GiB`, `unlimited`. Undefined for anything else. */
export function parseMaxUnused(text: string): MaxUnused | undefined {
  if (text === 'unlimited') return text;
  const percent = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent) < 100 ? { percent: Number(percent) } : undefined;
  const [, amount, unit] = /^(\d{1,12})(B|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  return unit === undefined ? undefined : { bytes: Number(amount) * 1024 ** units.indexOf(unit) };
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
