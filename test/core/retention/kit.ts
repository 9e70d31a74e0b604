import type { Candidate, RetentionPolicy } from '../../../core/retention/index.ts';

export const dayMs = 86_400_000;
export const hourMs = 3_600_000;

export function policy(rules: Partial<RetentionPolicy>): RetentionPolicy {
  const none = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, withinMs: 0, recoveryMs: 0 };
  return { ...none, minimum: 1, ...rules };
}

/** `2026-11-24T01:00:00Z`, and after it marks: `partial`, `pinned`, `restoring`, `expiring`. The id is the whole text. */
export function backup(text: string): Candidate {
  const [time, ...marks] = text.split(' ');
  const has = (mark: string) => marks.includes(mark);
  return {
    id: text,
    consistentAt: new Date(time!),
    partial: has('partial'),
    pinned: has('pinned'),
    restoring: has('restoring'),
    expiring: has('expiring'),
  };
}
