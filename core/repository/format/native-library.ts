import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** The functions that a C declaration names, ready to be called. */
export type Declare = (declaration: string) => ReturnType<Koffi.LibraryHandle['func']>;

/**
 * What `use` makes of a library of this machine; `null` means what this process has loaded itself. Undefined where the
 * library, one of the functions or koffi is missing, or `use` itself finds that it does not do.
 */
export function fromLibrary<Value>(
  name: string | null,
  use: (declare: Declare) => Value | undefined,
): Value | undefined {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const library = koffi.load(name);
    return use((declaration) => library.func(declaration));
  } catch {
    return undefined;
  }
}
