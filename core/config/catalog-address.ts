import { resolve } from 'node:path';

const scheme = 'sqlite:';

/** Whether this tells where a catalog is: `sqlite:` and a path. */
export function isCatalogAddress(text: string): boolean {
  return (
    text.startsWith(scheme) && !text.startsWith(`${scheme}//`) && text.length > scheme.length && !text.includes('\0')
  );
}

/** The same catalog, whatever the working folder: a relative path starts at `folder`. */
export function absoluteCatalogAddress(address: string, folder: string): string {
  return `${scheme}${resolve(folder, catalogPath(address))}`;
}

export function catalogPath(address: string): string {
  return address.slice(scheme.length);
}
