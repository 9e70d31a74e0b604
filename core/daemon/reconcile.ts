/** What reading the configuration came to. */
export type ReconcileOutcome =
  /** It is the applied state; `changed` when it was not before. */
  | { readonly state: 'applied'; readonly text: string; readonly changed: boolean }
  /** It is valid and waits for a person. */
  | { readonly state: 'pending'; readonly text: string; readonly pendingChanges: number }
  /** It has errors, or what it adds cannot be used; the applied state stays. */
  | { readonly state: 'invalid'; readonly text: string };
