/** Backups that are judged together. */
export interface HistoryKey {
  readonly plan: string;
  readonly source: string;
  readonly destination: string;
}

/**
 * Takes copies apart into histories, each in the order given. A plan that was given another source has two: the good
 * backups of one thing say nothing of the other, so none may push the other's out.
 */
export function historiesOf<Backup extends HistoryKey>(backups: readonly Backup[]): readonly (readonly Backup[])[] {
  const keyOf = ({ plan, source, destination }: Backup) => JSON.stringify([plan, source, destination]);
  return [...Map.groupBy(backups, keyOf).values()];
}
