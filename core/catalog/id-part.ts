/** `LIKE` patterns for a beginning and an end of a ULID; undefined when `idPart` cannot be a part of one. */
export function idPatterns(idPart: string): { readonly start: string; readonly end: string } | undefined {
  const part = idPart.toUpperCase();
  if (!/^[0-9A-Z]{1,26}$/.test(part)) return undefined;
  return { start: `${part}%`, end: `%${part}` };
}

/** Picks the one id that was meant: the exact one where there is one, else the only one. */
export function meantIds(idPart: string, ids: readonly string[]): readonly string[] {
  const distinct = [...new Set(ids)];
  const exact = distinct.filter((id) => id === idPart.toUpperCase());
  return exact.length > 0 ? exact : distinct;
}
