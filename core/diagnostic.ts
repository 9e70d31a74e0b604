/** Something that a user wrote wrong. A loader collects all of them and never stops at the first. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, for scripts: `unknown-key`, `wrong-type`, `dangling-reference`, … */
  readonly code: string;
  /** One line, lower case, no final stop. */
  readonly summary: string;
  /** A sentence that says what to do. */
  readonly hint?: string;
  readonly position?: Position;
}

/** A place in a configuration file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((one) => one.severity === 'error');
}
