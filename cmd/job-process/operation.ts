import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Job } from '../../core/catalog/index.ts';
import type { Run } from '../../core/driver/index.ts';
import { missingFile, TidemarkError } from '../../core/error.ts';
import { type JobOutcome, killMs, letGoMs, type Operation } from '../../core/job/index.ts';
import { fromPlainError, toPlainError } from '../../core/plain-error.ts';
import type { FromJobProcess, JobProcessSettings, ToJobProcess } from './messages.ts';

const entry = import.meta.resolve('./entry.ts');

/**
 * Runs each job in a process of its own. The daemon stays small between jobs, and a job that dies takes nothing with it:
 * its error is JOB_LOST. Leases, progress and cancelling stay with the daemon.
 */
export function operationInProcess(settings: JobProcessSettings): Operation {
  return (job, run) => runInProcess(job, settings, run);
}

async function runInProcess(job: Job, settings: JobProcessSettings, run: Run): Promise<JobOutcome> {
  run.signal.throwIfAborted();
  const child = startProcess(settings);
  const stop = new AbortController();
  const stuck = Promise.withResolvers<never>();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve()); // one that could not be started never exits
    stuck.promise.catch(() => resolve());
  });
  const kill = () => killLater(child, stop.signal, () => stuck.reject(unkillable(child)));
  const end = () => {
    tell(child, { type: 'abort', reason: toPlainError(run.signal.reason) });
    kill();
  };
  run.signal.addEventListener('abort', end, { once: true });
  try {
    const last = lastMessage(child, run);
    tell(child, { type: 'start', job, settings, parent: process.pid });
    return await Promise.race([last, stuck.promise]);
  } finally {
    kill(); // one of its calls may never return, and then it does not exit by itself
    await exited;
    run.signal.removeEventListener('abort', end);
    stop.abort();
  }
}

/** As the launcher starts a verb. No arguments and no other environment: what is secret goes through the channel. */
function startProcess({ env: { NODE_COMPILE_CACHE, MALLOC_MMAP_THRESHOLD_ } }: JobProcessSettings): ChildProcess {
  return fork(new URL(entry), [], {
    env: { NODE_COMPILE_CACHE, MALLOC_MMAP_THRESHOLD_ },
    execArgv: ['--max-semi-space-size=2'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function lastMessage(child: ChildProcess, { progress }: Run): Promise<JobOutcome> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromJobProcess) => {
      if (message.type === 'add') progress.add(message);
      else if (message.type === 'expect') progress.expect(message);
      else if (message.type === 'step') progress.step(message.text);
      else if (message.type === 'done') resolve(message.outcome);
      else reject(fromPlainError(message.error, 'in a job process'));
    });
    child.once('error', (cause) =>
      reject(new TidemarkError('JOB_LOST', 'the job process could not be started', { cause })),
    );
    child.once('exit', (code, signal) => reject(died(code, signal)));
  });
}

function died(code: number | null, signal: NodeJS.Signals | null): TidemarkError {
  if (!existsSync(new URL(entry))) return missingFile(`Cannot find module ${entry}`); // tidemark was changed under a daemon
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return new TidemarkError('JOB_LOST', `the process of the job was ended ${how}`, {
    hint: 'If the kernel ended it for want of memory, its log says so: `journalctl -k`. The job can be run again.',
  });
}

/** `onStuck`: even SIGKILL did not end it, as in a call to a disk that has died. It does nothing of ours any more. */
function killLater(child: ChildProcess, ended: AbortSignal, onStuck: () => void): void {
  const timers = [setTimeout(() => child.kill('SIGKILL'), letGoMs), setTimeout(onStuck, letGoMs + killMs)];
  ended.addEventListener('abort', () => timers.forEach(clearTimeout), { once: true });
}

function unkillable({ pid }: ChildProcess): TidemarkError {
  return new TidemarkError('JOB_LOST', `the process of the job, ${pid}, did not end when it was killed`, {
    hint: 'One of its calls to the system does not return: look at the disks and servers of files that it used.',
  });
}

function tell(child: ChildProcess, message: ToJobProcess): void {
  if (child.connected) child.send(message, () => {}); // a process that is gone is seen by its exit
}
