/** What `work` comes to, or the reason of the signal as soon as it fires; then the work goes on unwatched. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
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
