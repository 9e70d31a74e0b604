import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusAfter } from '../../../core/operation/check-status.ts';
import type { CheckReport } from '../../../core/repository/index.ts';

test('data was read whole when a round ends and nothing of it is left unread', () => {
  const now = new Date('2026-11-27T00:00:00Z');
  const read = { packs: 1, bytes: 1, through: 'aa', endsRound: true };
  const after = (unread: number) => {
    const report = { verdict: unread > 0 ? 'incomplete' : 'good', counts: { damage: 0, unread, note: 0 }, read };
    const full = { ...report, suspects: [], findings: [] } as unknown as CheckReport;
    return statusAfter({ destination: 'nas', suspects: [], roundSince: now }, full, now);
  };
  assert.deepEqual(after(0).readWholeAt, now);
  assert.equal(after(1).readWholeAt, undefined, 'a pack was denied');
});
