/**
 * Waits until it is the turn of this call, never before the call ahead has ended; rejects then with the reason of
 * the signal when that fired meanwhile.
 */
export type Turns = <T>(key: string, signal: AbortSignal, call: () => Promise<T>) => Promise<T>;

/**
 * One call at a time for each key: the next begins when the one before has really ended, also one that nobody waits for
 * any more. What asks a server of files that is away keeps a thread of the process until the server is back, and there
 * are few of them: when all are taken nothing asynchronous of `node:fs` and `node:dns` answers any more.
 */
export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return (key, signal, call) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(() => {
      signal.throwIfAborted();
      return call();
    });
    const ended: Promise<void> = turn
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (last.get(key) === ended) last.delete(key);
      });
    last.set(key, ended);
    return turn;
  };
}
