import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScanSummary } from '../../../../drivers/files/backup/scan-summary.ts';

test('a file that grew, and that another was moved over, is missing all the same', () => {
  const summary = new ScanSummary({ found: [], missing: [] }, []);
  summary.problem({ kind: 'changed', path: '/srv/app.log', reason: 'grew' });
  assert.equal(summary.facts.partial, false);
  summary.problem({ kind: 'missing', path: '/srv/app.log', reason: 'moved here' });
  assert.equal(summary.facts.partial, true);
  assert.deepEqual(summary.facts.warnings, ['/srv/app.log grew', '/srv/app.log is not in this backup: moved here']);
});

test('what cannot be read is counted and named once, whoever meets it', () => {
  const summary = new ScanSummary({ found: [], missing: [] }, []);
  for (const reason of ['no', 'still no']) summary.problem({ kind: 'unreadable', path: '/srv/closed', reason });
  assert.deepEqual([summary.facts.partial, summary.facts.warnings], [true, ['/srv/closed cannot be read: no']]);
});
