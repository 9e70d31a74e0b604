/** Some of many, for people: `a, b, and 5 more`. A list may be a million long; a message must not be. */
export function firstOf(texts: readonly string[], most: number, separator: ', ' | '; ' = ', '): string {
  const shown = texts.slice(0, most).join(separator);
  return texts.length > most ? `${shown}${separator}and ${texts.length - most} more` : shown;
}
