import { once } from 'node:events';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { TidemarkError } from '../core/error.ts';
import { exitCodes } from '../core/error-codes.ts';
import { leave } from './leave.ts';
import { outputUnwritable } from './output.ts';
import { main } from './program.ts';
import { surroundingsOf } from './this-process.ts';
import { errorText } from './views/errors.ts';
import { written } from './written.ts';

const [ending, endingNow, unheard] = [new AbortController(), new AbortController(), new AbortController()];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (endingNow.signal.aborted) leave(exitCodes.cancelled);
    const next = ending.signal.aborted ? endingNow : ending;
    next.abort(new TidemarkError('CANCELLED', `ended by ${signal}`));
  });
}
// A reader may go away, as `head` does. What is under way goes on to its end, and the exit code is that of the work: who
// reads no more has what was wanted. A result that cannot be written for another reason, as on a full disk, is a failure.
let unwritten: NodeJS.ErrnoException | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  unheard.abort(error);
  if (error.code !== 'EPIPE') unwritten ??= error;
});
process.stderr.on('error', () => {});

const signals = { ending: ending.signal, endingNow: endingNow.signal, unheard: unheard.signal };
const surroundings = surroundingsOf({ env: process.env, ...signals });
process.exitCode = await main(process.argv.slice(2), surroundings);
// Whoever reads may take their time, until a signal ends that. What was cut off then is no success.
const isOut = await Promise.race([
  written([process.stdout])
    .then(tellUnwritten)
    .then(() => true),
  signalled(ending.signal).then(() => false),
]);
if (!isOut) leave(Number(process.exitCode) || exitCodes.cancelled);
// What was left as it is would keep the process.
if (ending.signal.aborted) leave(Number(process.exitCode ?? 0));
// Work that lost its job and does not let go must not keep it either: somebody else may take the job soon.
setTimeout(() => leave(Number(process.exitCode ?? 0)), 1_000).unref();

/** Whoever reads only stdout gets part of a result at most: the exit code says so, too. */
async function tellUnwritten(): Promise<void> {
  await setImmediate(); // of a file the write is over, and its error is still to be told
  if (unwritten !== undefined) {
    const error = outputUnwritable(unwritten);
    process.exitCode ||= exitCodes[error.kind];
    process.stderr.write(
      errorText(error, { colour: false, columns: Number.POSITIVE_INFINITY, now: surroundings.clock.now() }),
    );
  }
  await written([process.stderr]);
}

/** A signal that came during the work leaves its last words this long. */
function signalled(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? delay(500) : once(signal, 'abort');
}
