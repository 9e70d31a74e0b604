import type { Progress } from '../../core/driver/index.ts';
import { TidemarkError } from '../../core/error.ts';
import { jobKinds, letGoMs, operationOf } from '../../core/job/index.ts';
import { fromPlainError, toPlainError } from '../../core/plain-error.ts';
import { compose } from '../compose.ts';
import { leave } from '../leave.ts';
import { surroundingsOf } from '../this-process.ts';
import { dieWithParent } from './die-with-parent.ts';
import type { FromJobProcess, ToJobProcess } from './messages.ts';

/** Signals are the daemon's to handle: a Ctrl-C or a service manager sends them to every process. */
const leftToTheDaemon = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function performJob(self: NodeJS.Process): Promise<void> {
  for (const signal of leftToTheDaemon) self.on(signal, () => {});
  self.stderr.on('error', () => {}); // its reader may go away
  const ending = new AbortController();
  const started = new Promise<ToJobProcess & { type: 'start' }>((resolve) => {
    self.on('message', (message: ToJobProcess) => {
      if (message.type === 'start') resolve(message);
      else ending.abort(fromPlainError(message.reason, 'in the daemon'));
    });
  });
  self.once('disconnect', () => {
    ending.abort(new TidemarkError('JOB_LOST', 'the daemon is gone'));
    setTimeout(() => leave(1), letGoMs).unref();
  });
  const tell = (message: FromJobProcess) =>
    new Promise<void>((told) => (self.connected ? self.send!(message, () => told()) : told()));
  const start = await started;
  await dieWithParent(start.parent);
  await tell(await outcomeOf(start, ending.signal, progressTo(tell)));
  if (self.connected) self.disconnect();
}

async function outcomeOf(
  { job, settings }: ToJobProcess & { type: 'start' },
  signal: AbortSignal,
  progress: Progress,
): Promise<FromJobProcess> {
  const surroundings = surroundingsOf({ env: settings.env, ending: signal, endingNow: signal, unheard: signal });
  const globals = { json: false, quiet: true, color: false };
  try {
    await using workspace = compose(surroundings, globals, { catalog: settings.catalog });
    const operation = operationOf(jobKinds, await workspace.operationContext());
    return { type: 'done', outcome: await operation(job, { signal, progress }) };
  } catch (thrown) {
    return { type: 'failed', error: toPlainError(thrown) };
  }
}

function progressTo(tell: (message: FromJobProcess) => Promise<void>): Progress {
  return {
    add: ({ bytes, items }) => void tell({ type: 'add', bytes, items }),
    expect: ({ bytes, items }) => void tell({ type: 'expect', bytes, items }),
    step: (text) => void tell({ type: 'step', text }),
  };
}
