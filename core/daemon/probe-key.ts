/** Whose turn a look at a resource waits for: with other settings it is another. */
export function probeKey({ address, spec }: { readonly address: string; readonly spec: unknown }): string {
  return JSON.stringify([address, spec]);
}
