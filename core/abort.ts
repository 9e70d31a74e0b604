/**
 * What `work` comes to, or the reason of the signal as soon as it fires, whatever the work hangs on. `cut` is called then
 * and ends what the work waits for (it closes the socket), so that nothing goes on unwatched; without it the work does.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, cut?: () => void): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      cut?.();
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

/**
 * A call that ends promptly by itself when its signal fires, because each thing that it waits for does (`unlessAborted`).
 * Whatever it then fails with, the signal's reason is why.
 */
export async function reasonOfAbort<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  try {
    return await call();
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
