import { isUtf8 } from 'node:buffer';
import { inspect } from 'node:util';
import { TidemarkError } from './error.ts';
import { passwordInFile, textInFile } from './password-file.ts';

/**
 * A resolved secret: a text that is meant as it is, or the bytes of a file, of which it depends on the use what counts.
 * Every way of printing it shows `***`; only the `reveal` methods give it.
 */
export class Secret {
  readonly #value: string | Uint8Array;

  constructor(value: string | Uint8Array) {
    this.#value = value;
  }

  /** As text, of a file without the line ends behind it. Throws SECRET_UNREADABLE for bytes that are no text. */
  reveal(): string {
    return typeof this.#value === 'string' ? this.#value : textInFile(this.#value);
  }

  /** As the password of a repository, the bytes that restic takes. Throws SECRET_UNREADABLE when nothing is left. */
  revealPassword(): Uint8Array {
    const password = typeof this.#value === 'string' ? Buffer.from(this.#value) : passwordInFile(this.#value);
    if (password.length > 0) return password;
    throw new TidemarkError('SECRET_UNREADABLE', 'the password is empty but for white space', {
      hint: 'Write a password into the file; white space around it does not count.',
    });
  }

  /**
   * What the password was before it was read as restic reads it, where that was exact and another: spaces around it
   * counted. A repository that was made so still opens.
   */
  revealFormerPassword(): Uint8Array | undefined {
    if (typeof this.#value === 'string' || !isUtf8(this.#value)) return undefined;
    const former = Buffer.from(textInFile(this.#value));
    return former.equals(this.revealPassword()) ? undefined : former;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Turns a reference such as `${file:/run/secrets/x}` into its secret, at the moment of use. Throws SECRET_UNREADABLE. */
export type SecretResolver = (reference: string) => Promise<Secret>;
