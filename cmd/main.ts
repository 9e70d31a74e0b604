import { TidemarkError } from '../core/error.ts';
import { exitCodes } from '../core/error-codes.ts';
import { main } from './program.ts';
import { surroundingsOf } from './this-process.ts';

const [ending, endingNow] = [new AbortController(), new AbortController()];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (endingNow.signal.aborted) process.exit(exitCodes.cancelled);
    const next = ending.signal.aborted ? endingNow : ending;
    next.abort(new TidemarkError('CANCELLED', `ended by ${signal}`));
  });
}
// The reader went away, as `head` does: nobody is left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const surroundings = surroundingsOf({ env: process.env, ending: ending.signal, endingNow: endingNow.signal });
const exitCode = await main(process.argv.slice(2), surroundings);
// What was left as it is would keep the process.
if (ending.signal.aborted) process.exit(exitCode);
process.exitCode = exitCode;
// Work that lost its job and does not let go must not keep it either: somebody else may take the job soon.
setTimeout(() => process.exit(), 1_000).unref();
