import type { Job } from '../../core/catalog/index.ts';
import type { JobOutcome } from '../../core/job/index.ts';
import type { PlainError } from '../../core/plain-error.ts';

/** What the daemon tells a job process. */
export type ToJobProcess =
  | { readonly type: 'start'; readonly job: Job; readonly settings: JobProcessSettings; readonly parent: number }
  | { readonly type: 'abort'; readonly reason: PlainError };

export interface JobProcessSettings {
  /** The daemon's environment, for references to secrets; the process itself is started without one. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The daemon's catalog. The files may say another by now, or nothing that can be read. */
  readonly catalog: string;
}

/** What a job process tells the daemon. The last one is `done` or `failed`. */
export type FromJobProcess =
  | { readonly type: 'add'; readonly bytes?: number; readonly items?: number }
  | { readonly type: 'expect'; readonly bytes?: number; readonly items?: number }
  | { readonly type: 'step'; readonly text: string }
  | { readonly type: 'done'; readonly outcome: JobOutcome }
  | { readonly type: 'failed'; readonly error: PlainError };
