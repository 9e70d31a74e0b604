export const eventLevels = ['info', 'warning', 'error'] as const;
export type EventLevel = (typeof eventLevels)[number];

export interface NewEvent {
  /** `job.failed`, `plan.suspended`, `config.invalid`, …: `core/observe/event-kinds.ts` lists them. */
  readonly kind: string;
  readonly level: EventLevel;
  /** An address, or `job.<id>`. */
  readonly subject: string;
  readonly text: string;
}

export interface EventRecord extends NewEvent {
  readonly id: string;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}
