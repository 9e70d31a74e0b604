import { test } from 'node:test';
import { Turns } from './turns.ts';

/** A round of the soak (`npm run test:soak`), with restic as it is installed. */
test('tidemark and stock restic use one repository in turn and at once, and nothing is lost', async (t) => {
  const turns = await Turns.start(t, 'a round', ['restic']);
  for (let turn = 1; turn <= 36; turn++) {
    await turns.turn();
    if (turn % 18 === 0) await turns.judge('some');
  }
  t.diagnostic(turns.history);
});
