import process from 'node:process';

/**
 * From now on the kernel ends this process as soon as the parent has ended, however: `prctl(PR_SET_PDEATHSIG)`. So whoever
 * sees that a daemon is gone knows that its jobs are too, and may begin them anew at once. Where there is no such call
 * the loss of the channel to the parent has to do.
 */
export async function dieWithParent(parent: number): Promise<void> {
  if (process.platform !== 'linux') return;
  const { default: koffi } = await import('koffi');
  const prctl = koffi.load(null).func('int prctl(int option, ...)');
  prctl(setParentDeathSignal, 'unsigned long', sigkill);
  if (process.ppid !== parent) process.exit(1); // it ended before that
}

const setParentDeathSignal = 1;
const sigkill = 9;
