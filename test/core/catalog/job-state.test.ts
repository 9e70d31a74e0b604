import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canTransition, isFinal, jobStateDiagram, jobStates } from '../../../core/catalog/index.ts';

test('every state is reached, and only the ended ones are final', () => {
  for (const state of jobStates.slice(1))
    assert.ok(
      jobStates.some((from) => canTransition(from, state)),
      state,
    );
  assert.deepEqual(jobStates.filter(isFinal), ['succeeded', 'partial', 'failed', 'cancelled', 'missed']);
});

test('a job that ended stays as it is', () => {
  for (const from of jobStates.filter(isFinal)) assert.ok(!jobStates.some((to) => canTransition(from, to)), from);
});

test('the diagram has every transition', () => {
  const arrows = jobStateDiagram().match(/^ {2}(\w+) --> (\w+)$/gm) ?? [];
  const possible = jobStates.flatMap((from) => jobStates.filter((to) => canTransition(from, to)));
  assert.equal(arrows.length, possible.length);
});
