/** What changes about a plan while it lives; kept through edits of the plan, moved by `renamedFrom`. */
export interface PlanStatus {
  readonly plan: string;
  /** By a person; stays until `tidemark resume`. */
  readonly pausedAt?: Date;
  /** By tidemark, because the source or destination is down; ends by itself. */
  readonly suspended?: {
    readonly reason: 'source-down' | 'destination-down';
    readonly since: Date;
    readonly text: string;
  };
  /**
   * Scheduling goes on from here: the latest scheduled time that was turned into a job, recorded as missed or passed over,
   * or when the plan got the timetable that it has.
   */
  readonly scheduledThrough?: Date;
  readonly lastSuccessAt?: Date;
  readonly lastFailureAt?: Date;
}

export type PlanStatusChange = { readonly [K in keyof Omit<PlanStatus, 'plan'>]?: PlanStatus[K] | null };
