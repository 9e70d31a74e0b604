import { inspect } from 'node:util';

/** A resolved secret. Every way of printing it shows `***`; only `reveal()` gives the text. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
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
